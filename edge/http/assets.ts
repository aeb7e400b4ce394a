import type { Fetcher } from "@cloudflare/workers-types";

/**
 * Static files behind the ASSETS binding. On Cloudflare that is the asset store, in a plain workerd a folder
 * served as bare bytes; so the content type is decided here, by extension, and nothing else is relied upon.
 */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  ttf: "font/ttf",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  woff: "font/woff",
  woff2: "font/woff2",
};

/**
 * The file at `path` ("/v1/checkout.js") with these headers, or null if there is none. Only paths that end in a
 * known extension are asked for: the folder service would list a folder.
 */
export async function staticFile(
  assets: Fetcher,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response | null> {
  const type = /^(?:\/[\w@-][\w@.-]*)+\.([a-z0-9]+)$/.exec(path)?.[1];
  const contentType = type === undefined ? undefined : TYPES[type];
  if (contentType === undefined) return null;
  const file = await assets.fetch(new URL(path, "https://assets.internal"));
  if (file.status !== 200) {
    await file.body?.cancel();
    return null;
  }
  return new Response(file.body as unknown as BodyInit, {
    headers: { ...headers, "content-type": contentType },
  });
}
