import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { identityOf, isAlive, type ProcessIdentity, parentOf } from "../../../cli/proc.mjs";
import { endPostgres, send, waitUntil } from "../ending.ts";
import { StartProblem } from "../problem.ts";

const BACKENDS_MS = 10_000;

/**
 * The processes of a Postgres on this cluster: a server and each of its backends runs the program "postgres"
 * in its data directory. That is proof, where the number in postmaster.pid is none: after a crash another program
 * may have it.
 */
function postgresProcessesOn(clusterDir: string): readonly ProcessIdentity[] {
  const here = realpathSync(clusterDir);
  const found: ProcessIdentity[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // A program whose file was replaced since, as by npm ci, is called "…/postgres (deleted)".
      const program = basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ""));
      if (program !== "postgres" || readlinkSync(`/proc/${pid}/cwd`) !== here) continue;
    } catch {
      continue; // ended, or another user's
    }
    const identity = identityOf(Number(pid));
    if (identity !== null) found.push(identity);
  }
  return found;
}

const failure = (what: string) =>
  new StartProblem("POSTGRES_FAILED", `${what} Stop it by hand, then start again.`);

/**
 * Makes the way free on a cluster whose folder this process has claimed, so that whatever still runs there was left
 * by a killed run: stops the server; or the backends of a server that was itself killed, which hold its
 * shared memory until they end; and removes a postmaster.pid that no process stands behind.
 *
 * @param clusterDir may not exist
 * @throws {StartProblem} POSTGRES_FAILED, naming the processes that do not end
 */
export async function endLeftoverPostgres(clusterDir: string, log: (line: string) => void): Promise<void> {
  if (!existsSync(clusterDir)) return;
  const processes = postgresProcessesOn(clusterDir);
  const pids = new Set(processes.map(({ pid }) => pid));
  const servers = processes.filter(({ pid }) => !pids.has(parentOf(pid) ?? 0));
  const filedPid = pidInFile(clusterDir);
  const postmaster = servers.find(({ pid }) => pid === filedPid);
  if (postmaster !== undefined) {
    log(`stopping Postgres (process ${postmaster.pid}), which an earlier run has left behind`);
    if (!(await endPostgres(postmaster)))
      throw failure(`Postgres (process ${postmaster.pid}) does not stop.`);
  }
  await endBackends(postgresProcessesOn(clusterDir), log);
  rmSync(join(clusterDir, "postmaster.pid"), { force: true });
}

function pidInFile(clusterDir: string): number | null {
  try {
    return Number(readFileSync(join(clusterDir, "postmaster.pid"), "utf8").split("\n")[0]);
  } catch {
    return null;
  }
}

/** SIGQUIT makes a backend end at once; nothing of it counts, as the next start recovers from the log. */
async function endBackends(backends: readonly ProcessIdentity[], log: (line: string) => void): Promise<void> {
  if (backends.length === 0) return;
  log(`ending ${backends.length} processes of a Postgres that was killed`);
  for (const { pid } of backends) send(pid, "SIGQUIT");
  if (await waitUntil(() => !backends.some(isAlive), BACKENDS_MS)) return;
  const left = backends.filter(isAlive).map(({ pid }) => pid);
  throw failure(`Processes of a killed Postgres do not end: ${left.join(", ")}.`);
}
