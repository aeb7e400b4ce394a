/**
 * Who sends: the HMAC over a request's time, place and body without the card (docs/acquirer-api.md, "Transport").
 */

import { createHash, createHmac } from "node:crypto";
import { sameText } from "../kit/http.ts";
import { canonicalJson } from "../kit/idempotency.ts";

/** How far a request's time may be off, in seconds. */
export const MAX_SKEW_SECONDS = 120;

/** `ID:SECRET`, as the sandbox is started with. */
export type ApiKey = { readonly id: string; readonly secret: string };

export function apiKeyOf(text: string): ApiKey {
  const at = text.indexOf(":");
  return at < 0 ? { id: text, secret: text } : { id: text.slice(0, at), secret: text.slice(at + 1) };
}

/** What is signed. `body` is parsed JSON, or null where there is none. */
export function signedText(seconds: number, method: string, path: string, body: object | null): string {
  const { card: _, ...rest } = { card: null, ...body };
  const text = body === null ? "" : canonicalJson(rest);
  return `${seconds}.${method}.${path}.${createHash("sha256").update(text).digest("hex")}`;
}

/** Whether an `authorization` header is right for a request, and if not, why. */
export function checkAuthorization(
  header: string | undefined,
  key: ApiKey,
  request: { readonly method: string; readonly path: string; readonly body: object | null },
  nowMs: number,
): "right" | "unauthorized" | "stale" {
  const [, id = "", time = "", signature = ""] =
    /^TESSERA-HMAC key=([\w-]+), t=(\d{1,12}), v1=([0-9a-f]{64})$/.exec(header ?? "") ?? [];
  const text = signedText(Number(time), request.method, request.path, request.body);
  const right = createHmac("sha256", key.secret).update(text).digest("hex");
  if (!sameText(id, key.id) || !sameText(signature, right)) return "unauthorized";
  return Math.abs(nowMs / 1000 - Number(time)) <= MAX_SKEW_SECONDS ? "right" : "stale";
}
