/**
 * Whose question it is, which one, and with what it was asked. Two questions are the same only if all three are: a key is
 * a merchant's own, so two merchants may use the same one.
 */
export type FlightScope = { readonly merchant: string; readonly key: string; readonly fingerprint: string };

/** An answer that is under way. */
export type Flight = {
  /** Set when somebody has said, since it began, that what it reads has changed. */
  readonly outdated: boolean;
};

type Running<T> = { readonly answer: Promise<T>; readonly flight: { outdated: boolean } };

/**
 * In-flight coalescing within this process: who asks while the same question is being answered gets that answer, or its
 * error. Nothing is remembered once it is there. There are never more entries than callers that wait.
 */
export class SingleFlight<T> {
  readonly #running = new Map<string, Running<T>>();

  run(scope: FlightScope, answer: (flight: Flight) => Promise<T>): Promise<T> {
    const id = scopeId(scope.merchant, scope.key, scope.fingerprint);
    const running = this.#running.get(id);
    if (running !== undefined) return running.answer;
    const flight = { outdated: false };
    const begun = answer(flight).finally(() => {
      // Another may have taken its place since it was outdated.
      if (this.#running.get(id)?.flight === flight) this.#running.delete(id);
    });
    this.#running.set(id, { answer: begun, flight });
    return begun;
  }

  /** What it asks for has changed: those who wait still get the answer, those who come from now on a new one. */
  outdate(scope: FlightScope): void {
    const id = scopeId(scope.merchant, scope.key, scope.fingerprint);
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.flight.outdated = true;
    this.#running.delete(id);
  }

  /** As `outdate`, for all. */
  outdateAll(): void {
    for (const { flight } of this.#running.values()) flight.outdated = true;
    this.#running.clear();
  }

  get size(): number {
    return this.#running.size;
  }
}

/** One text for several, unambiguous whatever they contain: ("a", "bc") is not ("ab", "c"). */
export const scopeId = (...parts: readonly string[]): string =>
  parts.map((part) => `${part.length}:${part}`).join("");
