import { type MemoryLimits, MemoryTier } from "./memory-tier.ts";
import type { SharedTier } from "./shared-tier.ts";
import { type Flight, SingleFlight, scopeId } from "./single-flight.ts";

/**
 * Values that are read more often than they change: from this process's memory, else from Redis, else from where they
 * are kept. Advisory: what money depends on is looked at again by the commit that moves it (docs/decisions/0014).
 *
 * A value is given out at most `ttlMs` after the read of the database that it comes from began, in whichever tier it was
 * meanwhile. It goes earlier when `drop` says that it has changed; and where changes are heard of (`isCurrent`), nothing
 * is given out from memory or Redis while they have not been heard of.
 */
export interface Cache<T extends object> {
  /** The value of a merchant's key; null if there is none. Rejects as `load` does, and remembers no error. */
  get(merchant: string, key: string, load: () => Promise<T | null>): Promise<T | null>;
  /** It has changed: this process forgets it at once, and Redis is told. Resolves when Redis was asked once. */
  drop(merchant: string, key: string): Promise<void>;
  /** More has changed than is known: this process forgets everything, and reads from Redis only what it does not know. */
  dropAll(): void;
  counts(): CacheCounts;
}

export type CacheCounts = {
  /** Answered from memory, from Redis, by the memory of an absence, and by loading. */
  readonly memory: number;
  readonly shared: number;
  readonly absent: number;
  readonly loaded: number;
  readonly dropped: number;
  /** What Redis had that was ours and could not be read, such as values of another version's form. */
  readonly unreadable: number;
  readonly entries: number;
  readonly bytes: number;
};

/** How values are written down. */
export type Codec<T> = {
  /** Raised with every change of form, so that versions of the program that run side by side do not meet. */
  readonly version: number;
  readonly encode: (value: T) => string;
  /** Throws if it is no such value. */
  readonly decode: (text: string) => T;
};

export type CacheOptions<T extends object> = {
  /** Of the values, such as "merchant"; unique in a region. */
  readonly name: string;
  readonly codec: Codec<T>;
  readonly ttlMs: number;
  readonly memory: MemoryLimits;
  /** How long, and of how many keys, it is remembered that there is nothing; in memory only. */
  readonly absence: { readonly ttlMs: number; readonly entries: number };
  readonly shared: SharedTier | null;
  /** Values that may change without anybody hearing of it are not kept; all are if absent. */
  readonly keeps?: (value: T) => boolean;
  /** Whether changes have been heard of lately; always if absent. */
  readonly isCurrent?: () => boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
};

/** Values of one moment do not all end in one moment: each lives up to this share less long than it might. */
const JITTER = 0.1;
/** A read that took longer writes nothing to Redis: marks of drops stay for three times as long (shared-tier.ts). */
const MAX_FILL_MS = 10_000;
/** Beside its text: keys, the entry itself. */
const OVERHEAD_BYTES = 256;

type Scope = {
  readonly merchant: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly id: string;
};

export function createCache<T extends object>(options: CacheOptions<T>): Cache<T> {
  return new TieredCache(options);
}

class TieredCache<T extends object> implements Cache<T> {
  readonly #options: CacheOptions<T>;
  readonly #now: () => number;
  readonly #memory: MemoryTier<T>;
  readonly #absent: MemoryTier<typeof ABSENT>;
  readonly #flights = new SingleFlight<T | null>();
  readonly #fingerprint: string;
  readonly #counts = { memory: 0, shared: 0, absent: 0, loaded: 0, dropped: 0, unreadable: 0 };

  constructor(options: CacheOptions<T>) {
    const { name, codec, memory, absence } = options;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#memory = new MemoryTier(memory, this.#now);
    this.#absent = new MemoryTier({ entries: absence.entries, bytes: absence.entries }, this.#now);
    this.#fingerprint = `${name} ${codec.version}`;
  }

  async get(merchant: string, key: string, load: () => Promise<T | null>): Promise<T | null> {
    const id = scopeId(merchant, key);
    if (this.#isCurrent()) {
      const known = this.#memory.get(id);
      if (known !== undefined) {
        this.#counts.memory++;
        return known;
      }
      if (this.#absent.get(id) !== undefined) {
        this.#counts.absent++;
        return null;
      }
    }
    const scope = { merchant, key, fingerprint: this.#fingerprint, id };
    return this.#flights.run(scope, (flight) => this.#find(scope, flight, load));
  }

  async drop(merchant: string, key: string): Promise<void> {
    const id = scopeId(merchant, key);
    this.#counts.dropped++;
    this.#memory.drop(id);
    this.#absent.drop(id);
    this.#flights.outdate({ merchant, key, fingerprint: this.#fingerprint });
    const { shared, ttlMs } = this.#options;
    await shared?.drop(this.#sharedName(shared, merchant, key), ttlMs);
  }

  dropAll(): void {
    this.#memory.clear();
    this.#absent.clear();
    this.#flights.outdateAll();
    this.#options.shared?.distrust(this.#options.ttlMs);
  }

  counts(): CacheCounts {
    return { ...this.#counts, entries: this.#memory.entries, bytes: this.#memory.bytes };
  }

  /** Phases: 1 Redis | 2 the database | 3 keep what was read, here and in Redis, unless it has changed meanwhile. */
  async #find(scope: Scope, flight: Flight, load: () => Promise<T | null>): Promise<T | null> {
    // What was read before changes were heard of may have changed unheard: it is given out, and not kept.
    const current = this.#isCurrent();
    const { shared } = this.#options;
    if (current && shared !== null) {
      const found = await this.#fromShared(shared, scope, flight);
      if (found !== null) return found;
    }
    const begun = this.#now();
    const value = await load();
    this.#counts.loaded++;
    if (current && !flight.outdated) this.#keep(scope, value, begun);
    return value;
  }

  async #fromShared(shared: SharedTier, scope: Scope, flight: Flight): Promise<T | null> {
    const found = await shared.read(this.#sharedName(shared, scope.merchant, scope.key));
    if (found === null || flight.outdated || !this.#isCurrent()) return null;
    const value = this.#decode(found.text);
    if (value === null) return null;
    this.#counts.shared++;
    this.#remember(scope.id, value, found.text, Math.min(found.lifeMs, this.#options.ttlMs));
    return value;
  }

  #decode(text: string): T | null {
    try {
      return this.#options.codec.decode(text);
    } catch {
      this.#counts.unreadable++;
      return null;
    }
  }

  #keep(scope: Scope, value: T | null, begun: number): void {
    const { codec, ttlMs, absence, keeps, shared, random = Math.random } = this.#options;
    const took = this.#now() - begun;
    if (value === null) {
      if (took < absence.ttlMs) this.#absent.keep(scope.id, ABSENT, 1, absence.ttlMs - took);
      return;
    }
    const lifeMs = ttlMs * (1 - JITTER * random()) - took;
    if (lifeMs <= 0 || keeps?.(value) === false) return;
    const text = codec.encode(value);
    this.#remember(scope.id, value, text, lifeMs);
    // Nobody waits for it.
    if (shared !== null && took < MAX_FILL_MS)
      void shared.write(this.#sharedName(shared, scope.merchant, scope.key), text, lifeMs);
  }

  #remember(id: string, value: T, text: string, lifeMs: number): void {
    this.#memory.keep(id, value, 2 * (text.length + id.length) + OVERHEAD_BYTES, lifeMs);
  }

  #sharedName(shared: SharedTier, merchant: string, key: string): string {
    return shared.nameOf(this.#fingerprint, merchant, key);
  }

  #isCurrent(): boolean {
    return this.#options.isCurrent?.() ?? true;
  }
}

const ABSENT = { absent: true } as const;
