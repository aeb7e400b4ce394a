import { LRUCache } from "lru-cache";

export type MemoryLimits = {
  readonly entries: number;
  /** About: what a value takes when it is written down, twice. */
  readonly bytes: number;
};

/**
 * Values in this process, the least recently read forgotten first, bounded by number and size. None is given out after
 * its time is over.
 */
export class MemoryTier<T extends object> {
  readonly #cache: LRUCache<string, T>;

  /** @param now milliseconds of a clock that never goes back */
  constructor({ entries, bytes }: MemoryLimits, now: () => number) {
    this.#cache = new LRUCache<string, T>({
      max: entries,
      maxSize: bytes,
      ttl: 1,
      // Else the time is read once a millisecond only, by a timer of its own.
      ttlResolution: 0,
      // A value that was kept at time 0 would never end.
      perf: { now: () => now() + 1 },
    });
  }

  get(id: string): T | undefined {
    return this.#cache.get(id);
  }

  /** Keeps it for `lifeMs`, above 0; a value larger than all that may be kept is not. */
  keep(id: string, value: T, bytes: number, lifeMs: number): void {
    this.#cache.set(id, value, { ttl: lifeMs, size: Math.max(1, bytes) });
  }

  drop(id: string): boolean {
    return this.#cache.delete(id);
  }

  clear(): void {
    this.#cache.clear();
  }

  get entries(): number {
    return this.#cache.size;
  }

  get bytes(): number {
    return this.#cache.calculatedSize;
  }
}
