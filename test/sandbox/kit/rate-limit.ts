/**
 * A rate limit: a bucket of one second's worth of requests that refills steadily.
 */

export class RateLimit {
  #left = 0;
  #filledAtMs = Number.NEGATIVE_INFINITY;

  /** Whether a request at `nowMs` is within `perSecond`; takes its place if so. 0 is no limit. */
  admits(perSecond: number, nowMs: number): boolean {
    if (perSecond === 0) return true;
    const refill = ((nowMs - this.#filledAtMs) / 1000) * perSecond;
    // At least one, so that a limit below one a second admits some.
    this.#left = Math.min(Math.max(1, perSecond), this.#left + Math.max(0, refill));
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
