/** A map that forgets: entries expire, and past `limit` the one that was used longest ago goes. */
export class BoundedCache<Value> {
  #entries = new Map<string, { readonly value: Value; readonly expiresAt: number }>();
  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, or undefined if there is none that has not expired at `now` (milliseconds). */
  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expiresAt <= now) return undefined;
    // A Map iterates in insertion order: put back at the end, the first entry is always the least recently used.
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Value, expiresAt: number): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#limit) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, expiresAt });
  }
}
