import type { KeyScope } from "./identity.ts";
import { type Home, homeFor } from "./ids.ts";

/**
 * An API key: `sk_` (secret, for servers) or `pk_` (publishable, for browsers), its merchant's home as four
 * hex digits, 32 random base62 characters (190 bits) and a six-character CRC-32 over all before it. A mistyped
 * or invented key fails the checksum where it is first read, without a look-up. Only the SHA-256 is stored:
 * a random key of this length needs no slow hash.
 */
const FORMAT = /^(sk|pk)_([0-9a-f]{2})([0-9a-f]{2})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export type ApiKeyParts = { readonly scope: KeyScope; readonly home: Home };

function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let out = "";
  for (let i = 0; i < 6; i++) {
    out = BASE62.charAt(rest % 62) + out;
    rest = Math.floor(rest / 62);
  }
  return out;
}

function randomBase62(length: number): string {
  let out = "";
  while (out.length < length) {
    // 248 is the largest multiple of 62 in a byte: rejecting the rest keeps every character equally likely.
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 248 && out.length < length) out += BASE62.charAt(byte % 62);
    }
  }
  return out;
}

export function newApiKey(scope: KeyScope, home: Home): string {
  const digits = (n: number) => n.toString(16).padStart(2, "0");
  const body = `${scope === "secret" ? "sk" : "pk"}_${digits(home.region)}${digits(home.shard)}_${randomBase62(32)}`;
  return body + checksum(body);
}

/** Scope and home of a well-formed key, or null. Says nothing about whether the key exists. */
export function parseApiKey(key: string): ApiKeyParts | null {
  const match = FORMAT.exec(key);
  if (match === null || checksum(key.slice(0, -6)) !== match[5]) return null;
  return {
    scope: match[1] === "sk" ? "secret" : "publishable",
    home: homeFor(Number.parseInt(match[2] as string, 16), Number.parseInt(match[3] as string, 16)),
  };
}

/** What is stored and looked up in place of the key: lower-case hex SHA-256. */
export async function hashApiKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
