/**
 * Idempotency keys: the first result under a key is kept once execution has begun; the same request replays
 * it; another request under the key, or one while the first is under way, is told so. Keys are pruned by age.
 */

import { createHash } from "node:crypto";

/** A result that a key remembers. The body is kept as sent, byte for byte. */
export type KeyedResult = {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** The id of the request that was executed. */
  readonly requestId: string;
};

export type KeyClaim =
  | { readonly kind: "started" }
  | { readonly kind: "replay"; readonly result: KeyedResult }
  | { readonly kind: "in_use" }
  | { readonly kind: "mismatch" };

/**
 * What makes two requests the same: method, path and parameters in a canonical text (see `canonicalJson`).
 * One way, so that no card number is kept.
 */
export function fingerprintOf(method: string, path: string, parameters: string): string {
  return createHash("sha256").update(`${method} ${path}\n${parameters}`).digest("base64url");
}

/** JSON with its members in one order, so that the same value always is the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

export class IdempotencyKeys {
  readonly #stored = new Map<string, KeyedResult>();
  readonly #running = new Set<string>();

  /** Takes the key for execution, or says why not. `ttlMs` is the age at which keys are pruned. */
  claim(key: string, fingerprint: string, nowMs: number, ttlMs: number): KeyClaim {
    if (this.#running.has(key)) return { kind: "in_use" };
    const result = this.#stored.get(key);
    if (result !== undefined && nowMs - result.atMs < ttlMs) {
      return result.fingerprint === fingerprint ? { kind: "replay", result } : { kind: "mismatch" };
    }
    this.#stored.delete(key);
    this.#running.add(key);
    return { kind: "started" };
  }

  /** Gives the key back without a result: parameters failed validation, nothing was executed. */
  release(key: string): void {
    this.#running.delete(key);
  }

  /** Keeps the result, and prunes what has grown too old (the map is in order of age). */
  keep(key: string, result: KeyedResult, ttlMs: number): void {
    this.#running.delete(key);
    this.#stored.delete(key);
    this.#stored.set(key, result);
    for (const [oldKey, old] of this.#stored) {
      if (result.atMs - old.atMs < ttlMs) break;
      this.#stored.delete(oldKey);
    }
  }

  /** Forgets every stored result, as if all were too old. Gives how many. Running requests keep theirs. */
  expireAll(): number {
    const count = this.#stored.size;
    this.#stored.clear();
    return count;
  }

  clear(): void {
    this.#stored.clear();
    this.#running.clear();
  }
}
