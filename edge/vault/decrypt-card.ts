import { err, ok, type Result } from "../../subgraphs/kernel/result.ts";
import { associatedData, type EncryptedCard, messageKey } from "./card-message.ts";
import { decrypt } from "./crypto/aead.ts";
import { fromBase64url } from "./crypto/bytes.ts";
import { publicKeyFromPoint, sharedSecret } from "./crypto/ecdh.ts";

export type DecryptionRefusal = { readonly code: "DECRYPTION_FAILED" };

/**
 * Opens what `encryptCard` made: the plaintext's parsed JSON, not yet checked to be a card. One error for every
 * reason (size, point, key, tag, JSON), so that the answer is no oracle for which step failed.
 */
export async function decryptCard(
  message: EncryptedCard,
  privateKey: CryptoKey,
): Promise<Result<unknown, DecryptionRefusal>> {
  const refused = err({ code: "DECRYPTION_FAILED" } as const);
  const point = fromBase64url(message.ephemeralPublicKey);
  const salt = fromBase64url(message.salt);
  const nonce = fromBase64url(message.nonce);
  const ciphertext = fromBase64url(message.ciphertext);
  if (point === null || ciphertext === null || salt?.length !== 32 || nonce?.length !== 12) return refused;
  const sender = await publicKeyFromPoint(point);
  if (sender === null) return refused;
  const key = await messageKey(await sharedSecret(privateKey, sender), salt);
  const plaintext = await decrypt(key, nonce, ciphertext, associatedData(message));
  if (plaintext === null) return refused;
  try {
    return ok(JSON.parse(new TextDecoder().decode(plaintext)));
  } catch {
    // Never rethrown: JSON.parse quotes its input, here a card, in its message.
    return refused;
  }
}
