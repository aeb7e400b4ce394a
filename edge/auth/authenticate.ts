import { hashApiKey, parseApiKey } from "../../subgraphs/kernel/api-key.ts";
import type { ApiStep, KeyOwner } from "../app.ts";
import { refusal } from "../errors.ts";
import { logFault } from "../http/log.ts";
import type { ApiSettings } from "../settings/api-settings.ts";
import { KeyDirectory } from "./key-directory.ts";
import { askRegion } from "./region-keys.ts";

/** One per isolate, for all its requests. */
const directory = new KeyDirectory();

/** Takes the key from `Authorization: Bearer …`. Its checksum refuses a mistyped or invented one right here. */
export const readKey: ApiStep = async (c, next) => {
  const text = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const parts = text === undefined ? null : parseApiKey(text);
  if (text === undefined || parts === null) return refusal(c, "UNAUTHENTICATED");
  c.set("key", { text, scope: parts.scope });
  return next();
};

/**
 * A browser names the page's origin in every cross-origin request: a secret key in one was published with that
 * page. The edge's own page, the explorer, is a developer's tool and may use one.
 */
export const keepSecretKeysOnServers: ApiStep = async (c, next) => {
  const origin = c.req.header("origin");
  const foreign = origin !== undefined && origin !== new URL(c.req.url).origin;
  if (c.get("key").scope === "secret" && foreign) return refusal(c, "FORBIDDEN");
  return next();
};

/** Finds out whose key it is. */
export const findOwner: ApiStep = async (c, next) => {
  const keepAlive = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  let owner: KeyOwner | null;
  try {
    owner = await ownerOf(c.get("key").text, c.get("settings"), keepAlive);
  } catch (error) {
    logFault("edge.key_lookup_failed", error, { requestId: c.get("requestId") });
    return refusal(c, "UNAVAILABLE");
  }
  if (owner === null) return refusal(c, "UNAUTHENTICATED");
  c.set("owner", owner);
  return next();
};

/** The key's owner, or null if the key is malformed, unknown or revoked. Throws if the region does not answer. */
export async function ownerOf(
  key: string,
  settings: ApiSettings,
  keepAlive: (work: Promise<unknown>) => void,
): Promise<KeyOwner | null> {
  const parts = parseApiKey(key);
  if (parts === null) return null;
  const owner = await directory.owner(
    await hashApiKey(key),
    settings.keyCacheMs,
    askRegion(settings, parts.home),
    keepAlive,
  );
  // The prefix is what people go by when they decide where a key may be seen: the record may not say otherwise.
  return owner !== null && owner.scope === parts.scope ? owner : null;
}
