import { aeadKey } from "./crypto/aead.ts";
import { type Bytes, utf8 } from "./crypto/bytes.ts";
import type { PublicJwk } from "./crypto/ecdh.ts";
import { hkdf } from "./crypto/hkdf.ts";

/**
 * A card on its way to the vault: what whoever encrypts it and the vault must agree on.
 *
 * A fresh P-256 key pair meets the vault's public key (ECDH), HKDF-SHA-256 with a random salt makes one
 * AES-256-GCM key for one message. So nothing between the payer's browser and the vault's isolate reads the
 * card, not even what ends TLS in between, and a recorded message cannot be opened with the sender's memory.
 */
export type CardDetails = {
  /** 12 to 19 digits; spaces and dashes are ignored. */
  readonly number: string;
  /** 1 to 12. */
  readonly expMonth: number;
  /** Four digits. */
  readonly expYear: number;
  readonly cvc?: string;
};

/** `GET /v1/encryption-key`. */
export type EncryptionKey = { readonly keyId: string; readonly publicKey: PublicJwk };

/** The body of `POST /v1/tokens`; all but the keys' names is base64url. */
export type EncryptedCard = {
  readonly publishableKey: string;
  readonly keyId: string;
  /** 65 bytes: the sender's uncompressed point. */
  readonly ephemeralPublicKey: string;
  /** 32 bytes. */
  readonly salt: string;
  /** 12 bytes. */
  readonly nonce: string;
  readonly ciphertext: string;
};

/** Separates this use of the key pair from any other, and versions it. */
const PURPOSE = "tessera card v1";

export async function messageKey(secret: Bytes, salt: Bytes): Promise<CryptoKey> {
  return aeadKey(await hkdf(secret, salt, utf8(PURPOSE), 32));
}

/**
 * What the ciphertext is bound to: a card encrypted under one merchant's key cannot be turned into another's
 * token. The ephemeral point is in it because ECDH keeps only x: without it, a point and its negative agree.
 * JSON, so that no two lists of parts share a spelling.
 */
export function associatedData(message: Omit<EncryptedCard, "ciphertext" | "nonce" | "salt">): Bytes {
  return utf8(JSON.stringify([PURPOSE, message.publishableKey, message.keyId, message.ephemeralPublicKey]));
}
