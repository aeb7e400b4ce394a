import type { ApiContext } from "../app.ts";
import { refusal } from "../errors.ts";
import { staticFile } from "./assets.ts";

/** What the build writes in the loader in place of the vault's origin, which differs by deployment. */
export const VAULT_ORIGIN_MARK = "https://vault.invalid";

/** The loader with this deployment's vault in it; made once per isolate, like the settings it depends on. */
let loader: string | undefined;

/**
 * `GET /v1/checkout.js`. Merchants' pages load it by this one address, so it is kept by browsers for minutes
 * only: a fix must reach payers soon.
 */
export async function checkoutLoader(c: ApiContext): Promise<Response> {
  if (loader === undefined) {
    const file = await staticFile(c.env.ASSETS, "/v1/checkout.js", {});
    if (file === null) return refusal(c, "NOT_FOUND");
    loader = (await file.text()).replaceAll(VAULT_ORIGIN_MARK, c.get("settings").vaultOrigin);
  }
  return c.body(loader, 200, {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=300",
    "cross-origin-resource-policy": "cross-origin",
    "access-control-allow-origin": "*",
  });
}

/** `GET /v1/config`: where the vault is, for tools that encrypt cards and for a merchant's content policy. */
export function publicConfig(c: ApiContext): Response {
  return c.json({ vault: c.get("settings").vaultOrigin }, 200, {
    "cache-control": "public, max-age=300",
    "cross-origin-resource-policy": "cross-origin",
    "access-control-allow-origin": "*",
  });
}

/**
 * The explorer is our own build: no script but its files, no evaluated code, no inline script, nothing loaded from
 * or sent to another origin; its workers are files as well. The two exceptions are for its editor (Monaco), which
 * places every line of text by a style attribute and its theme by a style element, and draws some marks by images
 * inside its style sheet.
 */
const EXPLORER_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; "),
  "cross-origin-resource-policy": "same-origin",
};

/** `GET /explorer/…`: a file of the explorer, or the page of the folder that is asked for. */
export async function explorer(c: ApiContext): Promise<Response> {
  const asksForFile = /\.[a-z0-9]+$/.test(c.req.path);
  const path = asksForFile ? c.req.path : `${c.req.path.replace(/\/$/, "")}/index.html`;
  // Vite names what it puts in assets/ by content; everything else keeps its name from build to build.
  const cache = c.req.path.startsWith("/explorer/assets/")
    ? "public, max-age=31536000, immutable"
    : "no-cache";
  const file = await staticFile(c.env.ASSETS, path, { ...EXPLORER_HEADERS, "cache-control": cache });
  if (file !== null) return file;
  if (asksForFile) return refusal(c, "NOT_FOUND");
  const message = "The explorer is not part of this deployment: build it into edge/explorer/dist first.\n";
  return c.text(message, 404);
}

/** The page's own links are relative to the folder. */
export function toExplorer(c: ApiContext): Response {
  return c.redirect("/explorer/", 308);
}
