import { Histogram } from "./histogram.ts";

/** What was finished since `count` was called. */
export type Counted = {
  readonly seconds: number;
  readonly units: number;
  readonly failures: number;
  /** Why the first one failed, in its own words. */
  readonly firstFailure: string | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Units that go on while they are counted, so that neither a ramp at the start nor stragglers are in the figures. */
export type Load = {
  /** Forgets what was finished so far: the figures begin here. */
  count(): void;
  counted(): Counted;
  /** Starts no more units; resolves when those under way are done. */
  stop(): Promise<void>;
};

export class Tally {
  readonly #latency = new Histogram();
  #countedFrom = performance.now();
  #failures = 0;
  #firstFailure: string | null = null;

  succeeded(ms: number): void {
    this.#latency.record(ms);
  }

  /** What was turned away, since there was too much to do, is neither done nor failed. */
  failed(error: unknown): void {
    if (error instanceof Error && error.name === "TurnedAway") return;
    this.#failures++;
    this.#firstFailure ??= error instanceof Error ? error.message : String(error);
  }

  count(): void {
    this.#latency.clear();
    this.#failures = 0;
    this.#firstFailure = null;
    this.#countedFrom = performance.now();
  }

  counted(): Counted {
    return {
      seconds: (performance.now() - this.#countedFrom) / 1_000,
      units: this.#latency.count,
      failures: this.#failures,
      firstFailure: this.#firstFailure,
      p50Ms: this.#latency.quantileMs(0.5),
      p99Ms: this.#latency.quantileMs(0.99),
    };
  }
}
