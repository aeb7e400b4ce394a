import { z } from "zod";
import { REFERENCE_FIELD } from "./requests.ts";

/**
 * Mollie's objects, as far as anything depends on them. Statuses are read as text: one that we do not know must not
 * make the object unreadable, it makes the outcome unknown.
 */
const amount = z.object({ currency: z.string(), value: z.string() });
const details = z.object({
  failureReason: z.string().nullish(),
  cardFunding: z.string().nullish(),
  cardCountryCode: z.string().nullish(),
  card3dsEci: z.string().nullish(),
});

export const paymentObject = z.object({
  resource: z.literal("payment"),
  id: z.string().regex(/^tr_\w{1,60}$/),
  status: z.string(),
  amount,
  amountCaptured: amount.nullish(),
  captureBefore: z.string().nullish(),
  authorizedAt: z.string().nullish(),
  createdAt: z.string(),
  sequenceType: z.string().nullish(),
  customerId: z.string().nullish(),
  mandateId: z.string().nullish(),
  metadata: z.unknown(),
  details: details.nullish(),
  _links: z.object({ checkout: z.object({ href: z.url() }).nullish() }),
});

export const captureObject = z.object({
  resource: z.literal("capture"),
  id: z.string(),
  status: z.string(),
  amount,
  paymentId: z.string(),
  metadata: z.unknown(),
});

export const refundObject = z.object({
  resource: z.literal("refund"),
  id: z.string(),
  status: z.string(),
  amount,
  paymentId: z.string(),
  metadata: z.unknown(),
});

export const customerObject = z.object({
  resource: z.literal("customer"),
  id: z.string().regex(/^cst_\w+$/),
});

const links = z.object({ next: z.object({ href: z.string() }).nullish() });
export const paymentList = z.object({
  _embedded: z.object({ payments: z.array(paymentObject) }),
  _links: links,
});
export const captureList = z.object({
  _embedded: z.object({ captures: z.array(captureObject) }),
  _links: links,
});
export const refundList = z.object({
  _embedded: z.object({ refunds: z.array(refundObject) }),
  _links: links,
});

export type PaymentObject = z.infer<typeof paymentObject>;
export type CaptureObject = z.infer<typeof captureObject>;
export type RefundObject = z.infer<typeof refundObject>;

/** JSON, or undefined for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Our reference in an object's metadata, which Mollie gives back as it came. */
export function referenceOf({ metadata }: { readonly metadata?: unknown }): string | null {
  if (typeof metadata !== "object" || metadata === null) return null;
  const reference: unknown = (metadata as Record<string, unknown>)[REFERENCE_FIELD];
  return typeof reference === "string" ? reference : null;
}
