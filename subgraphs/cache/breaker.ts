export type SharedLimits = {
  /** Failures in a row after which nobody asks for `openMs`; then one does, to see whether it is back. */
  readonly failuresInARow: number;
  readonly openMs: number;
  /** Requests under way at once; more go without. */
  readonly concurrent: number;
};

export const SHARED_LIMITS: SharedLimits = { failuresInARow: 5, openMs: 2_000, concurrent: 64 };

/** What came of asking something that may be away. */
export type Guarded<T> =
  | { readonly outcome: "answered"; readonly value: T }
  | { readonly outcome: "failed" | "not_asked" };

/**
 * Breaker and bulkhead before something that only saves time: while it fails, or is busy, it is not asked. (What decides
 * on providers, which money depends on, is another: `payments/routing/breaker.ts`.)
 */
export class Guard {
  readonly #limits: SharedLimits;
  readonly #now: () => number;
  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;
  #probing = false;
  #underWay = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(limits: SharedLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#failures >= this.#limits.failuresInARow;
  }

  /** Asks, unless it should not; `ask` rejects where there is no answer or none to be used. */
  async run<T>(ask: () => Promise<T>): Promise<Guarded<T>> {
    const probe = this.isOpen;
    if (probe && (this.#probing || this.#now() < this.#openUntil)) return { outcome: "not_asked" };
    if (this.#underWay >= this.#limits.concurrent) return { outcome: "not_asked" };
    if (probe) this.#probing = true;
    this.#underWay++;
    try {
      const value = await ask();
      this.#failures = 0;
      return { outcome: "answered", value };
    } catch {
      if (++this.#failures >= this.#limits.failuresInARow)
        this.#openUntil = this.#now() + this.#limits.openMs;
      return { outcome: "failed" };
    } finally {
      this.#underWay--;
      if (probe) this.#probing = false;
    }
  }
}
