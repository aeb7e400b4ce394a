const GROWTH = 1.01;
const SMALLEST_MS = 0.001;
/** Up to 440 s; what takes longer counts as that. */
const BUCKETS = 2_000;
const LOG_GROWTH = Math.log(GROWTH);

/** Latencies in buckets that grow by 1 %: a quantile is right to within 1 %, whatever the number of values. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #largestMs = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const bucket = ms <= SMALLEST_MS ? 0 : Math.floor(Math.log(ms / SMALLEST_MS) / LOG_GROWTH);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#count++;
    if (ms > this.#largestMs) this.#largestMs = ms;
  }

  /** The value, in ms, that a share `quantile` (0..1) of all values does not exceed; 0 if there are none. */
  quantileMs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(this.#count * quantile));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index] as number;
      if (seen >= rank) return Math.min(SMALLEST_MS * GROWTH ** (index + 0.5), this.#largestMs);
    }
    return 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#largestMs = 0;
  }
}
