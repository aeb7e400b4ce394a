/**
 * A bounded list of what has happened lately, each entry with its number in the order of all.
 */

const MAX_ENTRIES = 100_000;

export class Recent<E extends { readonly sequence: number }> {
  #entries: E[] = [];
  #received = 0;

  /** `make` gets the entry's sequence, from 1 on. */
  add(make: (sequence: number) => E): E {
    const entry = make(++this.#received);
    this.#entries.push(entry);
    // Half at a time, so that forgetting is rare and cheap.
    if (this.#entries.length > MAX_ENTRIES) this.#entries = this.#entries.slice(MAX_ENTRIES / 2);
    return entry;
  }

  /** Entries with a higher sequence; how many there were in all, and how many are remembered no more. */
  view(since: number): { received: number; forgotten: number; entries: readonly E[] } {
    const entries = this.#entries.filter((entry) => entry.sequence > since);
    return { received: this.#received, forgotten: this.#received - this.#entries.length, entries };
  }

  clear(): void {
    this.#entries = [];
    this.#received = 0;
  }
}
