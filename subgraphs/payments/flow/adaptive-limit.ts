/**
 * How many requests may be worked on at once, found by trying: a little more while they take less than `targetMs` and use
 * what there is, a tenth less when they take longer (additive increase, multiplicative decrease, as TCP's congestion
 * avoidance, RFC 5681; for services Netflix's concurrency-limits). Beyond the saturating load more at once gives no more
 * throughput, only longer times (Little's law), so the target is what a caller waits for us at most, about.
 */
export type LimitOptions = {
  readonly initial: number;
  readonly least: number;
  readonly most: number;
  /** Of a request's time here, on average, in ms. */
  readonly targetMs: number;
};

const DECREASE = 0.9;
/** Of the limit; where less of it is used, more would change nothing. */
const IN_USE = 0.7;
const WINDOW_MS = 100;
/** What was finished so long apart is not of one load. */
const LONGEST_WINDOW_MS = 5_000;
/** Fewer say little. */
const ENOUGH = 10;

/** Times are milliseconds of one clock that never goes back. */
export class AdaptiveLimit {
  readonly #options: LimitOptions;
  #value: number;
  #from: number | null = null;
  #ownMs = 0;
  #finished = 0;
  #mostInside = 0;
  /** Until then what is finished was begun under the limit before. */
  #decreasedUntil = 0;

  constructor(options: LimitOptions) {
    this.#options = options;
    this.#value = Math.min(options.initial, options.most);
  }

  get value(): number {
    return this.#value;
  }

  /** @param ownMs its time here  @param inside so many were here, this one included */
  finished(ownMs: number, inside: number, now: number): void {
    this.#from ??= now;
    this.#ownMs += ownMs;
    this.#finished++;
    this.#mostInside = Math.max(this.#mostInside, inside);
    const ms = now - this.#from;
    if (ms < WINDOW_MS || (this.#finished < ENOUGH && ms < LONGEST_WINDOW_MS)) return;
    if (ms < LONGEST_WINDOW_MS) {
      const used = this.#mostInside >= this.#value * IN_USE;
      this.#adapt(this.#ownMs / this.#finished, used, now);
    }
    this.#from = now;
    this.#ownMs = this.#finished = this.#mostInside = 0;
  }

  #adapt(meanMs: number, used: boolean, now: number): void {
    const { least, most, targetMs } = this.#options;
    if (meanMs > targetMs) {
      if (now < this.#decreasedUntil) return;
      this.#value = Math.min(most, Math.max(least, Math.floor(this.#value * DECREASE)));
      this.#decreasedUntil = now + meanMs;
    } else if (used) {
      this.#value = Math.min(most, this.#value + Math.ceil(Math.sqrt(this.#value) / 2));
    }
  }
}
