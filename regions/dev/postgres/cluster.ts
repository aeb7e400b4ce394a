import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { identityOf } from "../../../cli/proc.mjs";
import { StartProblem } from "../problem.ts";
import { startReaper } from "../reaper.ts";
import { describe } from "../service.ts";
import type { Place } from "./place.ts";

/**
 * The folder of a server: `cluster` (PGDATA), `password` (the superuser's, mode 0600, readable by the launcher's user
 * only) and `postgres.log`. initdb works in a folder beside it, from which the cluster is moved when it has succeeded:
 * a cluster is either complete or not there.
 */

const UNFINISHED = "initdb-";

const passwordFile = (place: Place) => join(place.dir, "password");

/** The superuser's password: URL-safe characters only. */
export function readPassword(place: Place): string {
  return readFileSync(passwordFile(place), "utf8").trim();
}

const refusal = (message: string) =>
  new StartProblem("POSTGRES_CLUSTER", `${message} Move it away, or set TESSERA_DATA_DIR to another folder.`);

/**
 * Makes sure that there is a cluster of ours and of this major version, and creates it if there is none (about
 * 2 s). What an interrupted initdb has left is removed first.
 *
 * @throws {StartProblem} POSTGRES_CLUSTER: the folder holds another version's data, or someone else's;
 *   POSTGRES_FAILED: initdb failed
 */
export async function openCluster(place: Place, log: (line: string) => void): Promise<void> {
  const cluster = join(place.dir, "cluster");
  await removeUnfinished(place);
  if (existsSync(join(place.dir, "PG_VERSION"))) {
    throw refusal(`${place.dir} is itself the data directory of a Postgres that is not Tessera's.`);
  }
  if (existsSync(cluster) && readdirSync(cluster).length > 0) {
    requireOurs(place, cluster);
    return;
  }
  rmSync(cluster, { recursive: true, force: true });
  await createCluster(place, cluster, log);
}

function requireOurs(place: Place, cluster: string): void {
  const versionFile = join(cluster, "PG_VERSION");
  if (!existsSync(versionFile)) throw refusal(`${cluster} holds files, but no Postgres cluster.`);
  const version = readFileSync(versionFile, "utf8").trim();
  if (version !== place.majorVersion) {
    throw refusal(
      `${cluster} holds data of Postgres ${version}, and this is Postgres ${place.majorVersion}.`,
    );
  }
  if (!existsSync(passwordFile(place))) {
    throw refusal(`${cluster} holds a Postgres cluster, but ${passwordFile(place)} is missing.`);
  }
}

async function createCluster(place: Place, cluster: string, log: (line: string) => void): Promise<void> {
  const started = performance.now();
  const work = mkdtempSync(join(place.dir, UNFINISHED));
  const [fresh, handOver] = [join(work, "cluster"), join(work, "password")];
  mkdirSync(fresh, { mode: 0o700 });
  const password = randomBytes(24).toString("base64url");
  writeFileSync(passwordFile(place), `${password}\n`, { mode: 0o600, flush: true });
  // initdb reads this copy as the account; the one that stays is for the launcher's user.
  writeFileSync(handOver, `${password}\n`, { mode: 0o600 });
  const { uid, gid } = place.as;
  if (uid !== undefined && gid !== undefined) {
    for (const path of [work, fresh, handOver]) chownSync(path, uid, gid);
  }
  await runInitdb(place, fresh, handOver);
  renameSync(fresh, cluster);
  rmSync(work, { recursive: true });
  log(`created a database cluster in ${cluster} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

/**
 * An initdb whose launcher was killed a moment ago may still write, until that launcher's reaper has ended it, so each
 * one has a folder of its own, and a folder that cannot be removed yet is left to a later start.
 */
async function removeUnfinished(place: Place): Promise<void> {
  for (const name of readdirSync(place.dir).filter((entry) => entry.startsWith(UNFINISHED))) {
    await rm(join(place.dir, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

async function runInitdb(place: Place, fresh: string, passwordFrom: string): Promise<void> {
  const args = [
    `--pgdata=${fresh}`,
    "--username=postgres",
    `--pwfile=${passwordFrom}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // Postgres's own C.UTF-8, which sorts alike on every machine, whatever its C library.
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
  ];
  const child = spawn(join(place.binDir, "initdb"), args, {
    ...place.as,
    cwd: place.dir,
    env: place.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      output = (output + text.toString()).slice(-4_000);
    });
  }
  const reaper = startReaper();
  const identity = child.pid === undefined ? null : identityOf(child.pid);
  if (identity !== null) reaper.watch(identity, "group");
  try {
    const how = await new Promise<string | null>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(code === 0 ? null : describe({ code, signal })));
    });
    if (how !== null) throw new StartProblem("POSTGRES_FAILED", `initdb failed (${how}):\n${output.trim()}`);
  } finally {
    if (identity !== null) reaper.forget(identity);
    reaper.close();
  }
}
