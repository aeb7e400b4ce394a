import type { KeyOwner } from "../app.ts";
import { BoundedCache } from "./bounded-cache.ts";

/**
 * Whose key is it? Asks the region once and remembers the answer for a while in this isolate.
 *
 * Known and unknown keys have a cache each: anyone can make up well-formed keys, and must not be able to push
 * out those that are in use. An answer is dated from when it was asked for, not from when it came, so a revoked
 * key is dead `ttlMs` after its revocation even if the look-up was slow.
 */
export type Lookup = (keyHash: string) => Promise<KeyOwner | null>;

export class KeyLookupFailed extends Error {
  override name = "KeyLookupFailed";
}

const UNKNOWN_TTL_MS = 5_000;
const MAX_CACHED = 10_000;
/** More look-ups at once than this is no honest traffic, and the region should not feel it. */
const MAX_IN_FLIGHT = 256;

export class KeyDirectory {
  #known = new BoundedCache<KeyOwner>(MAX_CACHED);
  #unknown = new BoundedCache<null>(MAX_CACHED);
  #inFlight = new Map<string, Promise<KeyOwner | null>>();
  #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * The owner, or null if there is no such key. Requests with one key at one time share a look-up; `keepAlive`
   * (waitUntil) lets it finish when the request that began it is cancelled. Throws KeyLookupFailed.
   */
  async owner(
    keyHash: string,
    ttlMs: number,
    lookup: Lookup,
    keepAlive: (work: Promise<unknown>) => void,
  ): Promise<KeyOwner | null> {
    const known = this.#known.get(keyHash, this.#now());
    if (known !== undefined) return known;
    if (this.#unknown.get(keyHash, this.#now()) === null) return null;

    const shared = this.#inFlight.get(keyHash);
    if (shared !== undefined) {
      const answer = await within(shared, LOOKUP_TIMEOUT_MS + 500);
      if (answer !== LATE) return answer;
      // A look-up dies with the request that began it. The first of those who waited begins another.
      if (this.#inFlight.get(keyHash) === shared) this.#inFlight.delete(keyHash);
      return this.owner(keyHash, ttlMs, lookup, keepAlive);
    }
    if (this.#inFlight.size >= MAX_IN_FLIGHT) throw new KeyLookupFailed("too many look-ups at once");
    const asked = this.#ask(keyHash, ttlMs, lookup);
    this.#inFlight.set(keyHash, asked);
    const forgotten = asked
      .catch(() => undefined)
      .finally(() => {
        if (this.#inFlight.get(keyHash) === asked) this.#inFlight.delete(keyHash);
      });
    keepAlive(forgotten);
    return asked;
  }

  async #ask(keyHash: string, ttlMs: number, lookup: Lookup): Promise<KeyOwner | null> {
    const askedAt = this.#now();
    const owner = await lookup(keyHash);
    if (owner === null) this.#unknown.set(keyHash, null, askedAt + Math.min(ttlMs, UNKNOWN_TTL_MS));
    else this.#known.set(keyHash, owner, askedAt + ttlMs);
    return owner;
  }
}

/** How long the region may take to say whose key it is. */
export const LOOKUP_TIMEOUT_MS = 3_000;

const LATE = Symbol("late");

/** What the promise gave (or throws what it threw), or LATE after `ms`. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof LATE> {
  const late = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(() => late.resolve(LATE), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
