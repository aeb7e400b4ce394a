import * as v from "valibot";
import type { VaultContext } from "../app.ts";
import { refusal } from "../errors.ts";
import { readJson } from "../steps.ts";
import { shardFor } from "../storage/shards.ts";
import { parseToken, type Token } from "./token.ts";

const MAX_BODY_BYTES = 1024;
const body = v.object({ token: v.string(), reference: v.optional(v.pipe(v.string(), v.maxLength(255))) });

/**
 * `POST /v1/tokens/describe`, for regions: what may be told of a merchant's card. With the egress
 * `reference` that is going to be used, `cvcAvailable` is a promise: the security code is kept for that reference
 * alone. Without one it only says whether somebody could still have it.
 */
export async function describeToken(c: VaultContext): Promise<Response> {
  const asked = await tokenAsked(c);
  if (asked instanceof Response) return asked;
  const { token, reference } = asked;
  const card = await shardFor(c.env, token).describe(token, c.get("merchant"), reference, Date.now());
  if (card === null) return refusal({ code: "UNKNOWN_TOKEN" });
  const { brand, bin, last4, expMonth, expYear, fingerprint, cvcAvailable } = card;
  return c.json({ token, brand, bin, last4, expMonth, expYear, fingerprint, cvcAvailable });
}

/** `POST /v1/tokens/delete`, for regions: erases a merchant's card. The second time, the token is unknown. */
export async function deleteToken(c: VaultContext): Promise<Response> {
  const asked = await tokenAsked(c);
  if (asked instanceof Response) return asked;
  const { token } = asked;
  const removed = await shardFor(c.env, token).remove(token, c.get("merchant"), Date.now());
  return removed ? c.json({ token, deleted: true }) : refusal({ code: "UNKNOWN_TOKEN" });
}

type Asked = { readonly token: Token; readonly reference: string | null };

async function tokenAsked(c: VaultContext): Promise<Asked | Response> {
  const json = await readJson(c, MAX_BODY_BYTES);
  if (!json.ok) return json.response;
  const parsed = v.safeParse(body, json.value);
  if (!parsed.success) return refusal({ code: "INVALID_REQUEST" });
  const token = parseToken(parsed.output.token);
  return token === null
    ? refusal({ code: "UNKNOWN_TOKEN" })
    : { token, reference: parsed.output.reference ?? null };
}
