import { setImmediate as nextTurn } from "node:timers/promises";
import { type Counted, type Load, Tally } from "./tally.ts";

/**
 * Clients that each do one unit after the other, from construction until `stop` or the time limit. A closed loop
 * sends no faster than it is answered: its latencies are those at this number of clients, not at a given rate.
 */
export class ClosedLoop implements Load {
  readonly #tally = new Tally();
  readonly #clients: Promise<void>[];
  readonly #endsAt: number;
  #stopping = false;

  /** @param run one unit of the client with this number; a failed unit is counted as such, and nothing else */
  constructor(clients: number, limitSeconds: number, run: (client: number) => Promise<unknown>) {
    this.#endsAt = performance.now() + limitSeconds * 1_000;
    this.#clients = Array.from({ length: clients }, (_, client) => this.#serve(() => run(client)));
  }

  count(): void {
    this.#tally.count();
  }

  counted(): Counted {
    return this.#tally.counted();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #serve(run: () => Promise<unknown>): Promise<void> {
    for (let from = performance.now(); !this.#stopping && from < this.#endsAt; from = performance.now()) {
      try {
        await run();
        this.#tally.succeeded(performance.now() - from);
      } catch (error) {
        this.#tally.failed(error);
        await nextTurn(); // a unit that fails at once must not keep timers from running
      }
    }
  }
}
