import { setImmediate as nextTurn } from "node:timers/promises";
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

/**
 * Clients that each do one unit after the other, from construction until `stop` or the time limit. It runs on while
 * it counts, so that neither a ramp at the start nor stragglers at the end are in the figures. A closed loop
 * sends no faster than it is answered: its latencies are those at this number of clients, not at a given rate.
 */
export class ClosedLoop {
  readonly #latency = new Histogram();
  readonly #clients: Promise<void>[];
  readonly #endsAt: number;
  #stopping = false;
  #countedFrom = performance.now();
  #failures = 0;
  #firstFailure: string | null = null;

  /** @param run one unit of the client with this number; a failed unit is counted as such, and nothing else */
  constructor(clients: number, limitSeconds: number, run: (client: number) => Promise<unknown>) {
    this.#endsAt = performance.now() + limitSeconds * 1_000;
    this.#clients = Array.from({ length: clients }, (_, client) => this.#serve(() => run(client)));
  }

  /** Forgets what was finished so far: the figures begin here. */
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

  /** Starts no more units; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #serve(run: () => Promise<unknown>): Promise<void> {
    for (let from = performance.now(); !this.#stopping && from < this.#endsAt; from = performance.now()) {
      try {
        await run();
        this.#latency.record(performance.now() - from);
      } catch (error) {
        this.#failures++;
        this.#firstFailure ??= error instanceof Error ? error.message : String(error);
        await nextTurn(); // a unit that fails at once must not keep timers from running
      }
    }
  }
}
