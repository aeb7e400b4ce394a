import * as v from "valibot";
import type { VaultContext } from "../app.ts";
import { refusal } from "../errors.ts";
import { readJson } from "../steps.ts";
import { byShard } from "../storage/shards.ts";
import { parseToken } from "./token.ts";

const MAX_BODY_BYTES = 8192;
const body = v.object({ tokens: v.pipe(v.array(v.string()), v.maxLength(100)) });

/**
 * `POST /v1/cvc/forget`, for regions: deletes the CVCs of up to 100 tokens, because an authorization's outcome
 * is recorded (PCI DSS 3.3.1). Repeating it, or naming tokens that have none, changes nothing.
 */
export async function forgetCvc(c: VaultContext): Promise<Response> {
  const json = await readJson(c, MAX_BODY_BYTES);
  if (!json.ok) return json.response;
  const parsed = v.safeParse(body, json.value);
  if (!parsed.success) return refusal({ code: "INVALID_REQUEST" });
  const tokens = parsed.output.tokens.map(parseToken).filter((token) => token !== null);
  const merchant = c.get("merchant");
  await Promise.all(byShard(c.env, tokens).map((group) => group.shard.forgetCvc(group.tokens, merchant)));
  return c.json({ forgotten: true });
}
