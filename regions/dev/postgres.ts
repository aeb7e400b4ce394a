import { spawn } from "node:child_process";
import { closeSync, fstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { identityOf, type ProcessIdentity } from "../../cli/proc.mjs";
import { claimFolder } from "./claim.ts";
import { endPostgres, waitUntil } from "./ending.ts";
import { openPrivateFolder } from "./home.ts";
import { openLogFile, readLog, tailOf } from "./log-file.ts";
import { requireFreePorts } from "./ports.ts";
import { openCluster, readPassword } from "./postgres/cluster.ts";
import { endLeftoverPostgres } from "./postgres/leftovers.ts";
import { type Place, placeFor } from "./postgres/place.ts";
import { type Settings, serverArguments } from "./postgres/settings.ts";
import { StartProblem } from "./problem.ts";
import type { Launcher } from "./processes.ts";
import { startReaper } from "./reaper.ts";
import { describe, type Exit } from "./service.ts";

/** Recovery after kill -9 replays up to `max_wal_size`; nothing is wrong while it does. */
const READY_TIMEOUT_MS = 180_000;
const SLOW_START_MS = 5_000;
const STATUS_LINE = 7;

export type PostgresOptions = {
  /** The server's own folder, created if missing: cluster, password, log. */
  readonly dataDir: string;
  readonly port: number;
  readonly log: (line: string) => void;
  /** Created if missing; "tessera" by default. */
  readonly database?: string;
  /** Over `defaultSettings`, as in postgresql.conf: `{ fsync: "off" }` for tests that may lose data. */
  readonly settings?: Settings;
  /** Takes care of the server if this process dies; without one, it gets a reaper of its own. */
  readonly launcher?: Launcher;
};

export type RunningPostgres = {
  /** `postgres://…` as superuser to `database`; carries the password. */
  readonly url: string;
  /** The same to the database "postgres". */
  readonly adminUrl: string;
  readonly port: number;
  /** The postmaster's. */
  readonly pid: number;
  readonly logFile: string;
  /** PGDATA. Not under `dataDir`, if the user that runs Postgres cannot get there. */
  readonly clusterDir: string;
  readonly exited: Promise<Exit>;
  /** Fast shutdown: rolls back what is open, writes a checkpoint. */
  stop(): Promise<Exit>;
};

/**
 * Starts the embedded Postgres on 127.0.0.1, durable by default. Phases: 1 claim the folder | 2 choose the user
 * and the place | 3 stop a server that a killed run has left on it | 4 create the cluster, if there is none |
 * 5 start, wait until it accepts connections | 6 create the database, if there is none. Killed in any of them,
 * the next start begins at 1 and ends what this one has left.
 *
 * @throws {FolderInUseError} another live process runs Postgres there
 * @throws {PortsBusyError} something listens on the port
 * @throws {StartProblem} POSTGRES_CLUSTER: the folder holds something else; POSTGRES_FAILED: the server or
 *   initdb failed, with the end of its log; FOLDER_NOT_USABLE; STOPPING: the launcher's `stopAll` was called
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { dataDir, log } = options;
  await openPrivateFolder(dataDir);
  const claim = await claimFolder(dataDir);
  try {
    const place = placeFor(dataDir, log);
    const clusterDir = join(place.dir, "cluster");
    await endLeftoverPostgres(clusterDir, log);
    await requireFreePorts({ Postgres: options.port });
    await openCluster(place, log);
    if (options.launcher?.stopping) {
      // Its reaper and its list are closed: nobody would end a server that starts now.
      throw new StartProblem("STOPPING", "Postgres was not started: the launcher is stopping.");
    }
    const server = await startServer(place, clusterDir, options);
    void server.exited.then(() => claim.release());
    return server;
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function startServer(
  place: Place,
  clusterDir: string,
  options: PostgresOptions,
): Promise<RunningPostgres> {
  const { port, log, database = "tessera" } = options;
  const logFile = join(place.dir, "postgres.log");
  const { identity, exited, stop, logFrom } = await spawnServer(place, clusterDir, logFile, options);
  let exit: Exit | null = null;
  void exited.then((how) => (exit = how));
  const startedAt = performance.now();
  let saidSlow = false;
  const isUp = await waitUntil(() => {
    if (!saidSlow && performance.now() - startedAt > SLOW_START_MS) {
      saidSlow = true;
      log("Postgres is still starting; after a crash it first replays its log");
    }
    return exit !== null || isReady(clusterDir, identity.pid);
  }, READY_TIMEOUT_MS);

  if (!isUp || exit !== null) {
    await stop();
    throw startFailure(exit, port, logFile, logFrom);
  }
  const urlOf = (name: string) =>
    `postgres://postgres:${readPassword(place)}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
  try {
    await createDatabase(urlOf("postgres"), database);
  } catch (error) {
    await stop();
    throw error;
  }
  const adminUrl = urlOf("postgres");
  return { url: urlOf(database), adminUrl, port, pid: identity.pid, logFile, clusterDir, exited, stop };
}

type Server = {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<Exit>;
  readonly stop: () => Promise<Exit>;
  readonly logFrom: number;
};

/** The postmaster, in a session of its own, logging into the file, watched by the launcher's reaper or its own. */
async function spawnServer(
  place: Place,
  clusterDir: string,
  logFile: string,
  options: PostgresOptions,
): Promise<Server> {
  const logFd = openLogFile(logFile);
  const logFrom = fstatSync(logFd).size;
  const args = ["-D", clusterDir, ...serverArguments(options.port, options.settings)];
  const child = spawn(join(place.binDir, "postgres"), args, {
    ...place.as,
    cwd: clusterDir,
    env: place.env,
    detached: true,
    stdio: ["ignore", logFd, logFd],
  });
  closeSync(logFd);
  child.on("error", () => {}); // the pid is missing then, which is what we look at
  let asked = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal, asked }));
  });
  const identity = child.pid === undefined ? null : identityOf(child.pid);
  if (identity === null) {
    // It has ended while we were looking, or there is no such program, and no exit either.
    throw startFailure(child.pid === undefined ? null : await exited, options.port, logFile, logFrom);
  }
  const stop = async () => {
    asked = true;
    if (!(await endPostgres(identity))) {
      throw new StartProblem(
        "POSTGRES_FAILED",
        `Postgres (process ${identity.pid}) does not stop; see ${logFile}.`,
      );
    }
    return exited;
  };
  if (options.launcher === undefined) {
    const reaper = startReaper();
    reaper.watch(identity, "postgres");
    void exited.then(() => {
      reaper.forget(identity);
      reaper.close();
    });
  } else {
    options.launcher.adopt({ name: "postgres", identity, kind: "postgres", exited, stop });
  }
  return { identity, exited, stop, logFrom };
}

/** The postmaster writes its state into its pid file once it accepts connections; pg_ctl looks there, too. */
function isReady(clusterDir: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(clusterDir, "postmaster.pid"), "utf8").split("\n");
    return Number(lines[0]) === pid && lines[STATUS_LINE]?.trim() === "ready";
  } catch {
    return false;
  }
}

function startFailure(exit: Exit | null, port: number, logFile: string, logFrom: number): StartProblem {
  const what = exit === null ? "did not start" : `ended while it started (${describe(exit)})`;
  const hint = readLog(logFile, logFrom).includes("Address already in use")
    ? `\nPort ${port} is taken: set TESSERA_PORT_BASE to another number.`
    : "";
  const tail = tailOf(logFile, logFrom);
  return new StartProblem(
    "POSTGRES_FAILED",
    `Postgres ${what}. Its log, ${logFile}, ends with:\n${tail}${hint}`,
  );
}

async function createDatabase(adminUrl: string, name: string): Promise<void> {
  if (name === "postgres") return;
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    const found = await sql`select 1 from pg_database where datname = ${name}`;
    if (found.length === 0) await sql`create database ${sql(name)}`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
