import { type Counted, type Load, Tally } from "./tally.ts";

/** Beyond so many under way the load is not one that is kept up with, and more would only fill the memory. */
const MOST_UNDER_WAY = 50_000;

/**
 * Units that begin at a given rate whether or not earlier ones are done, evenly spread. A unit's latency counts from
 * when it was due, so what waits because the driver itself was late waits, too. It looks at the clock every ms
 * instead of spinning, since it shares the cores with what it measures.
 */
export class OpenLoop implements Load {
  readonly #tally = new Tally();
  readonly #run: () => Promise<unknown>;
  readonly #stepMs: number;
  readonly #from = performance.now();
  readonly #endsAt: number;
  readonly #underWay = new Set<Promise<void>>();
  #begun = 0;
  #timer: NodeJS.Timeout;

  constructor(perSecond: number, limitSeconds: number, run: () => Promise<unknown>) {
    if (!(perSecond > 0)) throw new Error(`an open loop needs a rate, not ${perSecond}`);
    this.#run = run;
    this.#stepMs = 1_000 / perSecond;
    this.#endsAt = this.#from + limitSeconds * 1_000;
    this.#timer = setTimeout(() => this.#tick(), 1);
  }

  count(): void {
    this.#tally.count();
  }

  counted(): Counted {
    return this.#tally.counted();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
  }

  #tick(): void {
    const now = performance.now();
    for (; ; this.#begun++) {
      const dueAt = this.#from + this.#begun * this.#stepMs;
      if (dueAt > now) break;
      this.#begin(dueAt);
    }
    if (now < this.#endsAt) this.#timer = setTimeout(() => this.#tick(), 1);
  }

  #begin(dueAt: number): void {
    if (this.#underWay.size >= MOST_UNDER_WAY) {
      this.#tally.failed(new Error(`${MOST_UNDER_WAY} units are under way: the rate is not kept up with`));
      return;
    }
    const unit = this.#run()
      .then(
        () => this.#tally.succeeded(performance.now() - dueAt),
        (error: unknown) => this.#tally.failed(error),
      )
      .finally(() => this.#underWay.delete(unit));
    this.#underWay.add(unit);
  }
}
