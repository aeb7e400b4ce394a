import {
  associatedData,
  type CardDetails,
  type EncryptedCard,
  type EncryptionKey,
  messageKey,
} from "./card-message.ts";
import { encrypt } from "./crypto/aead.ts";
import { randomBytes, toBase64url, utf8 } from "./crypto/bytes.ts";
import { newKeyPair, publicKeyFromJwk, sharedSecret } from "./crypto/ecdh.ts";

/**
 * Encrypts a card for the vault, in a browser or in Node: the body to send to `POST /v1/tokens`. Every call
 * makes a new key pair, salt and nonce. Throws if the vault's public key is not a point of P-256.
 */
export async function encryptCard(
  card: CardDetails,
  { publishableKey, keyId, publicKey }: EncryptionKey & { readonly publishableKey: string },
): Promise<EncryptedCard> {
  const vault = await publicKeyFromJwk(publicKey);
  if (vault === null) throw new Error("the vault's encryption key is not a P-256 public key");
  const { privateKey, publicPoint } = await newKeyPair();
  const salt = randomBytes(32);
  const nonce = randomBytes(12);
  const key = await messageKey(await sharedSecret(privateKey, vault), salt);
  const envelope = { publishableKey, keyId, ephemeralPublicKey: toBase64url(publicPoint) };
  const { number, expMonth, expYear, cvc } = card;
  const plaintext = utf8(JSON.stringify({ number, expMonth, expYear, cvc }));
  return {
    ...envelope,
    salt: toBase64url(salt),
    nonce: toBase64url(nonce),
    ciphertext: toBase64url(await encrypt(key, nonce, plaintext, associatedData(envelope))),
  };
}
