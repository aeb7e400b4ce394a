/**
 * What a request is to us when there is too much to do, the most important first. `follow_up`: capture, void and refund, which
 * end what a payment has begun; `authorization`: whatever begins something new; `read`. Recovery and other work of ours
 * asks nobody: it is bounded by itself, and goes before all of them.
 */
export const LOAD_CLASSES = ["follow_up", "authorization", "read"] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];
