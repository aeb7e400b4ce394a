/** Limits of the admission, and what they are if nothing is said. */
export type AdmissionOptions = {
  /**
   * Requests worked on at once, without those that wait for a provider. Adapted, so that when there is too much to do our
   * own part of a request's time is about `targetMs`.
   */
  readonly atOnce: Adapted;
  /**
   * Requests that wait for a provider at once: what is in the way to it is busy or slow, too. Its target lies far below the
   * provider's deadline, or load would make outcomes unknown. `most` keeps authorizations below what the providers' bulkheads
   * take together (routing/gate.ts): what waits here is only late, what a bulkhead refuses has failed.
   */
  readonly awayAtOnce: Adapted & { readonly most: number };
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
  awayAtOnce: { initial: 256, least: 64, most: 280, targetMs: 1_500 },
  maxWaitMs: 250,
  maxWaiting: 1_024,
  now: () => performance.now(),
  random: Math.random,
};
