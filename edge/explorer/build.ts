import { createHash, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { mirrorFolder } from "../mirror-folder.ts";

/**
 * Builds the explorer into edge/explorer/dist when that is missing or older than its sources: seconds of work that
 * `npm start` does once. By itself: `node edge/explorer/build.ts`, which `node edge/build.ts` does, too.
 */
const EXPLORER = import.meta.dirname;
export const EXPLORER_DIST: string = join(EXPLORER, "dist");
const LOCK_FILE = join(EXPLORER, "../../package-lock.json");

export type ExplorerPlaces = {
  /** What is built from: everything in this folder but tests, dist and hidden files. */
  readonly sources: string;
  /** What the packages' versions are known by. */
  readonly lockFile: string;
  readonly dist: string;
  /** Bundles into an empty folder. */
  readonly bundle: (out: string) => Promise<void>;
};

const PLACES: ExplorerPlaces = {
  sources: EXPLORER,
  lockFile: LOCK_FILE,
  dist: EXPLORER_DIST,
  bundle: bundleInThread,
};

/** Builds if need be, and says so. Several processes may do this at the same time, and others read `dist`. */
export async function ensureExplorer(
  log: (line: string) => void,
  places: ExplorerPlaces = PLACES,
): Promise<void> {
  const { dist, bundle } = places;
  const wanted = await sourcesStamp(places);
  const built = await readFile(stampFile(dist), "utf8").catch(() => null);
  if (built === wanted) return;
  const why = built === null ? "it is not built yet" : "its sources have changed";
  log(`building the schema explorer, because ${why}: a few seconds, this time only`);
  const began = performance.now();
  const out = await mkdtemp(join(tmpdir(), "tessera-explorer-"));
  try {
    await bundle(out);
    await mkdir(dist, { recursive: true });
    await mirrorFolder(out, dist, { unfinished: dist, last: "index.html" });
    // Last: an interrupted build is not taken for one.
    await writeStamp(dist, wanted);
    const megabytes = ((await sizeOf(out)) / 1e6).toFixed(1);
    log(`schema explorer built: ${megabytes} MB in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** Hidden, so that it is neither served nor deployed. */
const stampFile = (dist: string) => join(dist, ".stamp");

async function writeStamp(dist: string, stamp: string): Promise<void> {
  const unfinished = join(dist, `.${randomUUID()}.tmp`);
  await writeFile(unfinished, stamp);
  await rename(unfinished, stampFile(dist));
}

/** A hash of what the build depends on: our sources by name and content, and the lock file. */
export async function sourcesStamp({
  sources,
  lockFile,
}: Pick<ExplorerPlaces, "sources" | "lockFile">): Promise<string> {
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(sources.length + 1))
    .filter((file) => !/^dist\/|(^|\/)\.|\.test\.ts$|\.md$/.test(file))
    .sort();
  const hash = createHash("sha256");
  const paths = [...files.map((file) => [file, join(sources, file)] as const), ["lock", lockFile] as const];
  for (const [name, path] of paths) {
    const content = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    hash.update(`${name} ${content}\n`);
  }
  return hash.digest("hex");
}

/**
 * Runs Vite in a thread of its own. It wants NODE_ENV for its whole process and keeps much memory; both end with the
 * thread, and the thread with this process.
 */
async function bundleInThread(out: string): Promise<void> {
  const thread = new Worker(new URL("bundle.ts", import.meta.url), {
    workerData: { out },
    // Under tests it is "test", which would bundle React's development build.
    env: { ...process.env, NODE_ENV: "production" },
  });
  await new Promise<void>((resolve, reject) => {
    thread.once("error", reject);
    thread.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`the explorer's build ended with code ${code}`)),
    );
  });
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

if (import.meta.main) await ensureExplorer(console.log);
