/**
 * A token stands for a card: `tok_`, its region's code as two hex digits, and 32 random base62 characters (190
 * bits). Random, so that it tells neither when, nor for whom, nor which card; only the region, so that whoever
 * holds it knows which vault to ask.
 */
export type Token = string & { readonly __token: true };

const FORMAT = /^tok_[0-9a-f]{2}_[0-9A-Za-z]{32}$/;
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const SHARDS = 256;

export function newToken(regionCode: string): Token {
  let random = "";
  while (random.length < 32) {
    // 248 is the largest multiple of 62 in a byte: rejecting the rest keeps every character equally likely.
    for (const byte of crypto.getRandomValues(new Uint8Array(48))) {
      if (byte < 248 && random.length < 32) random += BASE62.charAt(byte % 62);
    }
  }
  return `tok_${regionCode}_${random}` as Token;
}

export function parseToken(text: string | null | undefined): Token | null {
  return typeof text === "string" && FORMAT.test(text) ? (text as Token) : null;
}

/**
 * The token's shard, 0 to 255, by FNV-1a. Tokens are already random, so this needs to spread, not to resist;
 * it must never change, or stored tokens are looked for in the wrong place.
 */
export function shardOf(token: Token): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193);
  // Folded: the low byte of FNV-1a alone depends on little more than the low bits of each character.
  return ((hash >>> 24) ^ (hash >>> 16) ^ (hash >>> 8) ^ hash) & 0xff;
}
