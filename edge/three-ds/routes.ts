import type { ApiContext, ApiStep } from "../app.ts";
import { refusal } from "../errors.ts";
import { staticFile } from "../http/assets.ts";
import { readLimited } from "../limits/body.ts";

/**
 * The two pages that a 3-D Secure challenge needs, and their files. Any merchant's page may frame them: what they do
 * depends on nobody being signed in, and they hold nothing. They run this origin's files only.
 */
const COMMON = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"];
const CLOSING = ["frame-ancestors *", "require-trusted-types-for 'script'"];
const LOOPBACK = " http://127.0.0.1:* http://localhost:*";

const page = (...rules: readonly string[]) => ({
  "content-security-policy": [...COMMON, ...rules, ...CLOSING].join("; "),
  "cross-origin-resource-policy": "cross-origin",
  "cache-control": "no-cache",
});

/**
 * `GET /3ds/challenge`: frames the issuer's page, which is any https address, and in the end the return page. In
 * development, http on this machine, too.
 */
export const challengePage: ApiStep = async (c) => {
  const issuers = `https:${c.env.ENVIRONMENT === "development" ? LOOPBACK : ""}`;
  return file(c, "/3ds/challenge.html", {
    ...page(`frame-src 'self' ${issuers}`, `form-action ${issuers}`),
    // Issuers see which service asks, as with any form; a page without a referrer posts as origin "null".
    "referrer-policy": "strict-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=*, publickey-credentials-get=*",
  });
};

const MAX_CRES_BYTES = 64 * 1024;

/**
 * `POST /3ds/return` (and GET, for issuers that redirect): where the issuer's page sends the browser in the end, with
 * a CRes. That passes through the payer's hands and proves nothing, so it is not even looked at: how the challenge
 * went, the region learns from the directory server. Always the same page.
 */
export const returnPage: ApiStep = async (c) => {
  // Read and thrown away: a browser that is still sending when the answer comes shows an error instead.
  await readLimited(c.req.raw.body, MAX_CRES_BYTES);
  return file(c, "/3ds/return.html", page("form-action 'none'"));
};

export const pageFile: ApiStep = async (c) =>
  file(c, c.req.path, { "cross-origin-resource-policy": "same-origin", "cache-control": "no-cache" });

async function file(
  c: ApiContext,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return (await staticFile(c.env.ASSETS, path, headers)) ?? refusal(c, "NOT_FOUND");
}
