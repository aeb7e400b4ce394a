/** Limits of the admission, and what they are if nothing is said. */
export type AdmissionOptions = {
  /**
   * Requests worked on at once, without those that wait for a provider. Adapted, so that when there is too much to do our
   * own part of a request's time is about `targetMs`.
   */
  readonly atOnce: Adapted;
  /**
   * Payments' requests at once, with those that wait for a provider: what is in the way to it is busy or slow, too. Adapted by
   * how long they wait for providers. What waits for room here is only late; further on it fails, where it waits for a
   * connection too long or too many do (connectors/transport.ts), or its outcome becomes unknown at the deadline. So
   * `most` is below what waits there, and the target far below the time that it has. Where payments go through several
   * providers it may be as much for each.
   */
  readonly paymentsAtOnce: Adapted & { readonly most: number };
  /** How long a request waits for room; those before all others four times as long. */
  readonly maxWaitMs: number;
  /** Nor do more wait. */
  readonly maxWaiting: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** 0 to below 1. */
  readonly random: () => number;
};

export type Adapted = { readonly initial: number; readonly least: number; readonly targetMs: number };

export const ADMISSION_DEFAULTS: AdmissionOptions = {
  atOnce: { initial: 128, least: 16, targetMs: 400 },
  paymentsAtOnce: { initial: 200, least: 128, most: 240, targetMs: 750 },
  maxWaitMs: 250,
  maxWaiting: 1_024,
  now: () => performance.now(),
  random: Math.random,
};
