import { createHash, randomUUID } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type BuildOptions, build } from "esbuild";

/**
 * Builds the edge: both workers, the checkout loader and the card page. Run by itself (`node edge/build.ts`) it
 * fills edge/dist, where both wrangler.toml find their assets; `npm start` builds into its own folder.
 *
 *   <out>/api/worker.js      <out>/api/assets/v1/checkout.js      <out>/api/assets/explorer/…
 *   <out>/vault/worker.js    <out>/vault/assets/card.html         <out>/vault/assets/assets/card-<hash>.{js,css}
 */
const EDGE = import.meta.dirname;
export const DEFAULT_OUT = join(EDGE, "dist");

/** As wrangler bundles: the packages' builds for workers, and what only the runtime has left as imports. */
const WORKER: BuildOptions = {
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
};

/** What payers download: minified, and one script that runs by itself in browsers of the last few years. */
const BROWSER: BuildOptions = { format: "iife", target: "es2022", minify: true };

async function bundle(entry: string, options: BuildOptions): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [join(EDGE, entry)],
    bundle: true,
    write: false,
    logLevel: "silent",
    legalComments: "none",
    ...options,
  });
  const [file] = result.outputFiles ?? [];
  if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return file.contents;
}

/** Whole or not at all: a server or a test that runs at the same time never reads half a file. */
async function put(path: string, contents: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${randomUUID()}.tmp`;
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}

async function buildCardPage(assets: string): Promise<void> {
  const [script, style, html] = await Promise.all([
    bundle("vault/page/card.ts", BROWSER),
    bundle("vault/page/card.css", { minify: true }),
    readFile(join(EDGE, "vault/page/card.html"), "utf8"),
  ]);
  const named = (contents: Uint8Array, extension: string) => {
    const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
    return `assets/card-${hash}.${extension}`;
  };
  const names = { script: named(script, "js"), style: named(style, "css") };
  await Promise.all([put(join(assets, names.script), script), put(join(assets, names.style), style)]);
  // The page last: it names the files, which must then be there.
  await put(
    join(assets, "card.html"),
    html.replace("card.css", `/${names.style}`).replace("card.ts", `/${names.script}`),
  );
  // What an earlier build left behind would be deployed along with this one.
  const current = Object.values(names).map((name) => basename(name));
  const stale = (await readdir(join(assets, "assets"))).filter(
    (name) => /^card-\w+\.(js|css)$/.test(name) && !current.includes(name),
  );
  await Promise.all(stale.map((name) => rm(join(assets, "assets", name), { force: true })));
}

/** The explorer is built by its own tool; here it is only put in its place, if it has been. */
async function copyExplorer(assets: string): Promise<void> {
  try {
    await cp(join(EDGE, "explorer/dist"), join(assets, "explorer"), {
      recursive: true,
      preserveTimestamps: true,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

export async function buildEdge(out: string = DEFAULT_OUT): Promise<void> {
  const apiAssets = join(out, "api/assets");
  await Promise.all([
    bundle("worker.ts", WORKER).then((code) => put(join(out, "api/worker.js"), code)),
    bundle("vault/worker.ts", WORKER).then((code) => put(join(out, "vault/worker.js"), code)),
    bundle("checkout/checkout.ts", BROWSER).then((code) => put(join(apiAssets, "v1/checkout.js"), code)),
    buildCardPage(join(out, "vault/assets")),
    copyExplorer(apiAssets),
  ]);
}

if (import.meta.main) {
  const started = performance.now();
  await buildEdge();
  console.log(`edge built in ${Math.round(performance.now() - started)} ms`);
}
