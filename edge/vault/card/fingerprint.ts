import { type Bytes, toHex, utf8 } from "../crypto/bytes.ts";

/** Imports the fingerprint key: 32 bytes of its own, so that no other key's owner can guess cards with it. */
export async function fingerprintKey(raw: Bytes): Promise<CryptoKey> {
  if (raw.length !== 32) throw new Error("the fingerprint key has 32 bytes");
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/**
 * "fp_" and 32 hex digits: the same card of one merchant gives the same one, so that a merchant recognises a
 * card it has seen, and two merchants cannot compare payers. Keyed: card numbers are few enough to try all of
 * them against a plain hash. The key has no rotation, since another key is another fingerprint for every card.
 */
export async function fingerprint(key: CryptoKey, merchant: string, number: string): Promise<string> {
  const message = utf8(JSON.stringify(["tessera fingerprint v1", merchant, number]));
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
  return `fp_${toHex(mac.slice(0, 16))}`;
}
