/** What is counted of a request to a provider. */
export type Seen = "good" | "bad" | "neutral";

const GOOD = 1;
const BAD = 2;
const CODES: Record<Seen, number> = { good: GOOD, bad: BAD, neutral: 0 };

/**
 * The last `size` outcomes that are not older than `ms`, exactly, in fixed memory: about 21 bytes an outcome. Times are
 * milliseconds of one clock that never goes back.
 */
export class Window {
  readonly #ms: number;
  readonly #at: Float64Array;
  readonly #code: Uint8Array;
  readonly #latency: Float64Array;
  /** The latencies that count, ascending: the first `#latencies` of them. */
  readonly #sorted: Float64Array;
  #latencies = 0;
  #first = 0;
  #length = 0;
  #good = 0;
  #bad = 0;

  constructor(size: number, ms: number) {
    this.#ms = ms;
    this.#at = new Float64Array(size);
    this.#code = new Uint8Array(size);
    this.#latency = new Float64Array(size);
    this.#sorted = new Float64Array(size);
  }

  /** @param latencyMs null if it says nothing of how fast the provider is */
  add(now: number, seen: Seen, latencyMs: number | null): void {
    this.#forget(now);
    if (this.#length === this.#at.length) this.#dropOldest();
    const slot = (this.#first + this.#length++) % this.#at.length;
    this.#at[slot] = now;
    this.#code[slot] = CODES[seen];
    this.#latency[slot] = latencyMs ?? Number.NaN;
    if (seen === "good") this.#good++;
    if (seen === "bad") this.#bad++;
    if (latencyMs !== null) this.#insert(latencyMs);
  }

  /** `good` and `bad` outcomes in the window at `now`. */
  counts(now: number): { readonly good: number; readonly bad: number } {
    this.#forget(now);
    return { good: this.#good, bad: this.#bad };
  }

  /** The latency that `share` of them do not exceed (nearest rank), and how many there are; null if there are none. */
  percentile(now: number, share: number): { readonly ms: number; readonly of: number } | null {
    this.#forget(now);
    if (this.#latencies === 0) return null;
    const rank = Math.max(1, Math.ceil(share * this.#latencies));
    return { ms: this.#sorted[rank - 1] as number, of: this.#latencies };
  }

  clear(): void {
    this.#length = this.#good = this.#bad = this.#latencies = 0;
  }

  #forget(now: number): void {
    while (this.#length > 0 && (this.#at[this.#first] as number) <= now - this.#ms) this.#dropOldest();
  }

  #dropOldest(): void {
    const code = this.#code[this.#first];
    if (code === GOOD) this.#good--;
    if (code === BAD) this.#bad--;
    const latency = this.#latency[this.#first] as number;
    if (!Number.isNaN(latency)) this.#remove(latency);
    this.#first = (this.#first + 1) % this.#at.length;
    this.#length--;
  }

  #insert(latency: number): void {
    const place = this.#placeOf(latency);
    this.#sorted.copyWithin(place + 1, place, this.#latencies++);
    this.#sorted[place] = latency;
  }

  #remove(latency: number): void {
    const place = this.#placeOf(latency);
    this.#sorted.copyWithin(place, place + 1, this.#latencies--);
  }

  /** The first place whose latency is not less. */
  #placeOf(latency: number): number {
    let low = 0;
    let high = this.#latencies;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) < latency) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
