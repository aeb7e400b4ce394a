import { type Bytes, concat, randomBytes } from "./bytes.ts";

/**
 * AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and full 128-bit tags, the only sizes used here: another
 * nonce size takes a different path through GHASH, and a shorter tag is a weaker one.
 */
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Imports a 256-bit key; throws for any other size. */
export async function aeadKey(raw: Bytes): Promise<CryptoKey> {
  if (raw.length !== KEY_BYTES) throw new Error("an AES-256-GCM key has 32 bytes");
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

const parameters = (nonce: Bytes, aad: Bytes) => {
  if (nonce.length !== NONCE_BYTES) throw new Error("an AES-GCM nonce has 12 bytes");
  return { name: "AES-GCM", iv: nonce, additionalData: aad, tagLength: TAG_BYTES * 8 };
};

/** Ciphertext with its tag at the end. A nonce must never repeat under one key: `seal` draws a random one. */
export async function encrypt(key: CryptoKey, nonce: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.encrypt(parameters(nonce, aad), key, plaintext));
}

/** The plaintext, or null if key, nonce, ciphertext or associated data is not what was encrypted. */
export async function decrypt(
  key: CryptoKey,
  nonce: Bytes,
  ciphertext: Bytes,
  aad: Bytes,
): Promise<Bytes | null> {
  const algorithm = parameters(nonce, aad);
  if (ciphertext.length < TAG_BYTES) return null;
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, ciphertext));
  } catch {
    return null;
  }
}

/** nonce ‖ ciphertext ‖ tag, as one value to store. */
export async function seal(key: CryptoKey, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  const nonce = randomBytes(NONCE_BYTES);
  return concat(nonce, await encrypt(key, nonce, plaintext, aad));
}

/** Reverses `seal`; null if anything was changed, or sealed for another purpose. */
export async function open(key: CryptoKey, sealed: Bytes, aad: Bytes): Promise<Bytes | null> {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  return decrypt(key, sealed.slice(0, NONCE_BYTES), sealed.slice(NONCE_BYTES), aad);
}
