import { VAULT_AUTH_HEADER, verifyVaultRequest } from "../../subgraphs/kernel/identity.ts";
import { logFault } from "../http/log.ts";
import { readLimited } from "../limits/body.ts";
import type { VaultContext, VaultStep } from "./app.ts";
import { refusal } from "./errors.ts";
import { vaultSettings } from "./vault-settings.ts";

/** Steps that several of the vault's routes begin with. */

/** Reads the settings; a vault that is not fully configured serves nothing, rather than something half safe. */
export const readyToServe: VaultStep = async (c, next) => {
  try {
    c.set("settings", await vaultSettings(c.env));
  } catch (error) {
    // Its message names bindings only, and without it nobody could mend the configuration.
    const reason = error instanceof Error ? error.message : "unknown";
    console.error(JSON.stringify({ level: "error", event: "vault.misconfigured", reason }));
    return refusal({ code: "UNAVAILABLE" });
  }
  return next();
};

/**
 * Lets in the vault's own page and callers that are no browser. A merchant's script has no reason to speak to
 * the vault: what it may know reaches it through the card frame.
 */
export const sameOriginOrServer: VaultStep = async (c, next) => {
  const origin = c.req.header("origin");
  if (origin !== undefined && origin !== new URL(c.req.url).origin) return refusal({ code: "FORBIDDEN" });
  return next();
};

/** Lets in a region, by its signed word, and notes the merchant for whom it asks. */
export const regionOnly: VaultStep = async (c, next) => {
  const merchant = await callingMerchant(c);
  if (merchant === null) return refusal({ code: "UNAUTHENTICATED" });
  c.set("merchant", merchant);
  return next();
};

export function callingMerchant(c: VaultContext): Promise<string | null> {
  return verifyVaultRequest(c.req.header(VAULT_AUTH_HEADER), c.get("settings").regions, new Date());
}

/** The JSON of a request of at most `maxBytes`, or the answer that refuses it. */
export async function readJson(
  c: VaultContext,
  maxBytes: number,
): Promise<{ ok: true; value: unknown } | { ok: false; response: Response }> {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header("content-type") ?? ""))
    return { ok: false, response: refusal({ code: "UNSUPPORTED_MEDIA_TYPE" }) };
  const body = await readLimited(c.req.raw.body, maxBytes);
  if (!body.ok) return { ok: false, response: refusal(body.error) };
  try {
    return { ok: true, value: JSON.parse(new TextDecoder().decode(body.value)) };
  } catch {
    return { ok: false, response: refusal({ code: "INVALID_REQUEST" }) };
  }
}

/** Answers for anything that threw. */
export function internalError(error: unknown, c: VaultContext): Response {
  logFault("vault.unexpected", error, { requestId: c.get("requestId") });
  return refusal({ code: "INTERNAL" });
}
