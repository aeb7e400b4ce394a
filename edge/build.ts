import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { EXPLORER_DIST, ensureExplorer } from "./explorer/build.ts";
import { mirrorFolder } from "./mirror-folder.ts";

/**
 * Builds the edge: both workers, the checkout loader, the card page and the pages of 3-D Secure. Run by itself
 * (`node edge/build.ts`) it builds the explorer, too, and fills edge/dist, where both wrangler.toml find their
 * assets; `npm start` builds into its own folder.
 *
 *   <out>/api/worker.js      <out>/api/assets/v1/checkout.js      <out>/api/assets/explorer/…
 *   <out>/api/assets/3ds/{challenge,return}.{html,js}            <out>/api/assets/3ds/page.css
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

/**
 * Whole or not at all, by way of a file beside the folders that are served: tests and servers run at the same
 * time on the same files, and never see half of one, nor one that is about to be renamed.
 */
async function put(out: string, path: string, contents: Uint8Array | string): Promise<void> {
  const target = join(out, path);
  const unfinished = join(out, `.${randomUUID()}.tmp`);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(unfinished, contents);
  await rename(unfinished, target);
}

async function buildCardPage(out: string): Promise<void> {
  const [script, style, html] = await Promise.all([
    bundle("vault/page/card.ts", BROWSER),
    bundle("vault/page/card.css", { minify: true }),
    readFile(join(EDGE, "vault/page/card.html"), "utf8"),
  ]);
  const named = (contents: Uint8Array, extension: string) => {
    const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
    return `card-${hash}.${extension}`;
  };
  const names = { script: named(script, "js"), style: named(style, "css") };
  const folder = "vault/assets/assets";
  await Promise.all([
    put(out, `${folder}/${names.script}`, script),
    put(out, `${folder}/${names.style}`, style),
  ]);
  // The page last: it names the files, which must then be there.
  const page = html
    .replace("card.css", `/assets/${names.style}`)
    .replace("card.ts", `/assets/${names.script}`);
  await put(out, "vault/assets/card.html", page);
  // What an earlier build left behind would be deployed along with this one.
  const current: string[] = Object.values(names);
  const stale = (await readdir(join(out, folder))).filter((name) => !current.includes(name));
  await Promise.all(stale.map((name) => rm(join(out, folder, name), { force: true })));
}

/** Two pages for 3-D Secure (three-ds/routes.ts), which are so small that they are not kept by browsers. */
async function buildThreeDsPages(out: string): Promise<void> {
  const folder = "api/assets/3ds";
  const pages = ["challenge", "return"].map(async (name) => {
    await put(out, `${folder}/${name}.js`, await bundle(`three-ds/page/${name}.ts`, BROWSER));
    await put(out, `${folder}/${name}.html`, await readFile(join(EDGE, `three-ds/page/${name}.html`)));
  });
  const style = bundle("three-ds/page/page.css", { minify: true });
  await Promise.all([...pages, style.then((css) => put(out, `${folder}/page.css`, css))]);
}

/** The explorer is built by its own tool (explorer/build.ts); here it is only put in its place, if it has been. */
async function copyExplorer(out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  await mirrorFolder(EXPLORER_DIST, join(out, "api/assets/explorer"), {
    unfinished: out,
    last: "index.html",
  });
}

export async function buildEdge(out: string = DEFAULT_OUT): Promise<void> {
  await Promise.all([
    bundle("worker.ts", WORKER).then((code) => put(out, "api/worker.js", code)),
    bundle("vault/worker.ts", WORKER).then((code) => put(out, "vault/worker.js", code)),
    bundle("checkout/checkout.ts", BROWSER).then((code) => put(out, "api/assets/v1/checkout.js", code)),
    buildCardPage(out),
    buildThreeDsPages(out),
    copyExplorer(out),
  ]);
}

if (import.meta.main) {
  const started = performance.now();
  await ensureExplorer(console.log);
  await buildEdge();
  console.log(`edge built in ${Math.round(performance.now() - started)} ms`);
}
