import * as v from "valibot";
import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import { logFault } from "../../http/log.ts";
import type { VaultContext } from "../app.ts";
import { binOf, checkCard, last4Of } from "../card/check-card.ts";
import { fingerprint } from "../card/fingerprint.ts";
import { decryptCard } from "../decrypt-card.ts";
import { refusal } from "../errors.ts";
import { sealCard, sealCvc } from "../seal/envelope.ts";
import { readJson } from "../steps.ts";
import { shardFor } from "../storage/shards.ts";
import { newToken } from "./token.ts";

const MAX_BODY_BYTES = 4096;

const base64url = (length: number) => v.pipe(v.string(), v.regex(/^[\w-]*$/), v.length(length));
const body = v.object({
  publishableKey: v.pipe(v.string(), v.startsWith("pk_"), v.maxLength(100)),
  keyId: v.pipe(v.string(), v.maxLength(64)),
  ephemeralPublicKey: base64url(87),
  salt: base64url(43),
  nonce: base64url(16),
  ciphertext: v.pipe(v.string(), v.regex(/^[\w-]*$/), v.maxLength(512)),
});

/**
 * `POST /v1/tokens`: an encrypted card becomes a token.
 *
 * Phases: 1 read the message | 2 whose key is it (api worker) | 3 decrypt and check | 4 seal | 5 store.
 * Nothing is stored before 5. If the answer is lost after 5, the sender encrypts again and gets another token;
 * the first one is never used and its CVC goes within the hour.
 */
export async function createToken(c: VaultContext): Promise<Response> {
  const settings = c.get("settings");
  const json = await readJson(c, MAX_BODY_BYTES);
  if (!json.ok) return json.response;
  const message = v.safeParse(body, json.value);
  if (!message.success) return refusal({ code: "INVALID_REQUEST" });

  const owner = await merchantOf(c, message.output.publishableKey);
  if (!owner.ok) return refusal(owner.error);
  const merchant = owner.value;

  const privateKey = settings.encryptionKeys.privateKeys.get(message.output.keyId);
  if (privateKey === undefined) return refusal({ code: "UNKNOWN_ENCRYPTION_KEY" });
  const decrypted = await decryptCard(message.output, privateKey);
  if (!decrypted.ok) return refusal(decrypted.error);
  const now = new Date();
  const checked = checkCard(decrypted.value, now);
  if (!checked.ok) return refusal(checked.error);
  const card = checked.value;

  const token = newToken(settings.regionCode);
  const place = { token, merchant };
  const { brand, expMonth, expYear } = card;
  const description = { brand, bin: binOf(card.number), last4: last4Of(card.number), expMonth, expYear };
  const stored = {
    ...(await sealCard(card, place, settings.keks)),
    ...description,
    fingerprint: await fingerprint(settings.fingerprintKey, merchant, card.number),
  };
  const expiresAt = now.getTime() + settings.cvcLifetimeMs;
  const cvc = card.cvc === null ? null : { ...(await sealCvc(card.cvc, place, settings.cvcKeys)), expiresAt };

  await shardFor(c.env, token).store(token, merchant, stored, cvc, now.getTime());
  return c.json({ token, ...description }, 201);
}

type KeyRefusal = { readonly code: "UNAUTHENTICATED" | "UNAVAILABLE" };

async function merchantOf(c: VaultContext, publishableKey: string): Promise<Result<string, KeyRefusal>> {
  try {
    const owner = await c.env.API_KEYS.resolve(publishableKey);
    return owner?.scope === "publishable" ? ok(owner.merchant) : err({ code: "UNAUTHENTICATED" });
  } catch (error) {
    logFault("vault.key_lookup_failed", error, { requestId: c.get("requestId") });
    return err({ code: "UNAVAILABLE" });
  }
}
