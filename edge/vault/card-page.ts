import { staticFile } from "../http/assets.ts";
import type { VaultContext } from "./app.ts";
import { refusal } from "./errors.ts";

/**
 * The page with the card fields, framed by merchants' checkouts: anyone may frame it, it runs this origin's two
 * files and talks to this origin only, so a card typed into it cannot leave but through `POST /v1/tokens`.
 */
const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "frame-ancestors *",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  // Framed by pages that isolate themselves, too.
  "cross-origin-resource-policy": "cross-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cache-control": "no-cache",
};

/** Named by the hash of what is in them, so a copy never goes stale. */
const FILE_HEADERS = {
  "cache-control": "public, max-age=31536000, immutable",
  "cross-origin-resource-policy": "same-origin",
};

export async function cardPage(c: VaultContext): Promise<Response> {
  return (await staticFile(c.env.ASSETS, "/card.html", PAGE_HEADERS)) ?? refusal({ code: "NOT_FOUND" });
}

export async function cardFile(c: VaultContext): Promise<Response> {
  return (await staticFile(c.env.ASSETS, c.req.path, FILE_HEADERS)) ?? refusal({ code: "NOT_FOUND" });
}
