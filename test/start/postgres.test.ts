import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import postgres from "postgres";
import { describe, expect, onTestFinished, test } from "vitest";
import { FolderInUseError } from "../../regions/dev/claim.ts";
import { freePort, PortsBusyError } from "../../regions/dev/ports.ts";
import { type PostgresOptions, type RunningPostgres, startPostgres } from "../../regions/dev/postgres.ts";
import { openLauncher } from "../../regions/dev/processes.ts";
import { startScratchPostgres } from "../../regions/dev/scratch-postgres.ts";
import { startDoomed } from "./doomed.ts";
import { eventually, running, temporaryFolder } from "./temporary.ts";

const asRoot = process.getuid?.() === 0;

type Started = RunningPostgres & { readonly lines: readonly string[] };

/** Starts a server that does not outlive the test. `dataDir` may be one that an earlier server has used. */
async function start(dataDir = temporaryFolder(), more: Partial<PostgresOptions> = {}): Promise<Started> {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const server = await startPostgres({ dataDir, port: await freePort(), log, ...more });
  onTestFinished(async () => {
    await server.stop();
  });
  return { ...server, lines };
}

/** Runs statements on a connection of their own; gives the rows of the last. */
async function query(
  url: string,
  ...statements: readonly string[]
): Promise<readonly Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    let rows: readonly Record<string, unknown>[] = [];
    for (const statement of statements) rows = await sql.unsafe(statement);
    return rows;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

describe("Postgres", () => {
  test("starts with a database, keeps what it holds over a restart, and lets nobody in without the password", async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    const settings = "select current_setting('fsync') || current_setting('synchronous_commit') as durable";
    expect(await query(first.url, settings)).toEqual([{ durable: "onon" }]);
    await query(first.url, "create table kept (n int)", "insert into kept values (1)");
    expect(statSync(join(dataDir, "password")).mode & 0o777).toBe(0o600);
    const wrong = first.url.replace(/:[^:@]+@/, ":wrong@");
    await expect(query(wrong, "select 1")).rejects.toMatchObject({ code: "28P01" });
    expect(await first.stop()).toEqual({ code: 0, signal: null, asked: true });

    const second = await start(dataDir);
    expect(await query(second.url, "select n, current_database() as db from kept")).toEqual([
      { n: 1, db: "tessera" },
    ]);
    expect(second.lines).toEqual([]);
  });

  test("takes settings over its own", async () => {
    const server = await start(temporaryFolder(), { settings: { fsync: "off", max_connections: 7 } });
    const rows = await query(
      server.adminUrl,
      "select current_setting('fsync') f, current_setting('max_connections') c",
    );
    expect(rows).toEqual([{ f: "off", c: "7" }]);
  });

  test("killed with -9, it is seen to have ended, and the next start finds every committed row", async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    await query(first.url, "create table kept (n int)", "insert into kept select generate_series(1, 1000)");
    // A backend that only computes does not notice that its postmaster is gone, and holds the shared memory.
    const busy = query(first.url, "do $$ begin loop end loop; end $$").catch(() => "cut off");
    await eventually("a backend is busy", async () => {
      const looping = "select 1 from pg_stat_activity where state = 'active' and query like 'do $$%'";
      return (await query(first.adminUrl, looping)).length === 1;
    });
    process.kill(first.pid, "SIGKILL");
    expect(await first.exited).toEqual({ code: null, signal: "SIGKILL", asked: false });
    const second = await start(dataDir);
    expect(await query(second.url, "select count(*)::int as n from kept")).toEqual([{ n: 1000 }]);
    expect(await busy).toBe("cut off");
  });

  test.each(["alone", "launcher"])(
    "ends when the process that started it (%s) is killed with -9",
    async (mode) => {
      const dir = temporaryFolder();
      const doomed = startDoomed("postgres.ts", [dir, String(await freePort()), mode]);
      const [pid = 0] = await doomed.services();
      const reaper = doomed.reaper();
      await doomed.kill();
      await eventually(
        "server and reaper have ended",
        () => running(pid) === null && running(reaper) === null,
      );
      expect(readFileSync(join(dir, "postgres", "postgres.log"), "utf8")).toContain(
        "received fast shutdown request",
      );
    },
  );

  test("left running by a killed process and reaper, it is stopped by the next start", async () => {
    const dir = temporaryFolder();
    const doomed = startDoomed("postgres.ts", [dir, String(await freePort()), "alone"]);
    const [pid] = await doomed.services();
    process.kill(doomed.reaper(), "SIGKILL");
    await doomed.kill();
    const next = await start(join(dir, "postgres"));
    expect(next.lines).toEqual([`stopping Postgres (process ${pid}), which an earlier run has left behind`]);
    expect(running(pid ?? 0)).toBeNull();
  });

  test("is refused while a live process has one on the same folder", async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    await expect(start(dataDir)).rejects.toThrow(FolderInUseError);
    expect(running(first.pid)).not.toBeNull();
  });

  test("is not started for a launcher that has stopped meanwhile, as nobody would end it", async () => {
    const dir = temporaryFolder();
    const launcher = await openLauncher({ dir, log: () => {} });
    const starting = start(join(dir, "postgres"), { launcher });
    const refused = expect(starting).rejects.toMatchObject({ code: "STOPPING" });
    await launcher.stopAll();
    await refused;
    expect(existsSync(join(dir, "postgres", "postgres.log"))).toBe(false);
  });

  test("is not kept off by a postmaster.pid whose number another program has by now", async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    await first.stop();
    const { uid, gid } = statSync(first.clusterDir);
    const other = spawn("sleep", ["1000"], { stdio: "ignore", ...(asRoot ? { uid, gid } : {}) });
    onTestFinished(() => void other.kill());
    const file = join(first.clusterDir, "postmaster.pid");
    writeFileSync(
      file,
      `${other.pid}\n${first.clusterDir}\n1700000000\n${first.port}\n\n127.0.0.1\n 1 1\nready\n`,
    );
    await start(dataDir);
    expect(running(other.pid ?? 0)).not.toBeNull();
  });

  test("on a port that another program has, it says which, who has it, and how to move", async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const refused = start(temporaryFolder(), { port });
    await expect(refused).rejects.toThrow(PortsBusyError);
    await expect(refused).rejects.toThrow(`${port} (Postgres): process ${process.pid}`);
    await expect(refused).rejects.toThrow("TESSERA_PORT_BASE");
  });

  test("that does not start is an error with the end of its log", async () => {
    const refused = start(temporaryFolder(), { settings: { shared_buffers: "lots" } });
    await expect(refused).rejects.toThrow(
      /Postgres ended while it started \(code 1\).*postgres\.log.*shared_buffers/s,
    );
  });
});

describe("a cluster", () => {
  test("whose initdb was killed half-way is made anew", async () => {
    const dir = temporaryFolder();
    const doomed = startDoomed("postgres.ts", [dir, String(await freePort()), "alone"]);
    const home = join(dir, "postgres");
    const unfinished = () =>
      existsSync(home) ? readdirSync(home).filter((name) => name.startsWith("initdb-")) : [];
    const writes = () =>
      unfinished().some((name) => {
        const fresh = join(home, name, "cluster");
        return existsSync(fresh) && readdirSync(fresh).length > 3;
      });
    await eventually("initdb writes", writes);
    const reaper = doomed.reaper();
    await doomed.kill();
    expect(existsSync(join(home, "cluster"))).toBe(false);
    const server = await start(home);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await server.stop();
    await eventually("initdb has ended", () => running(reaper) === null);
    await start(home);
    expect(unfinished()).toEqual([]);
  });

  test("of another version, of someone else or without its password is refused, and not touched", async () => {
    const dataDir = temporaryFolder();
    const cluster = join(dataDir, "cluster");
    mkdirSync(cluster);
    writeFileSync(join(cluster, "diary.txt"), "mine");
    await expect(start(dataDir)).rejects.toThrow(/cluster holds files, but no Postgres cluster/);
    writeFileSync(join(cluster, "PG_VERSION"), "17\n");
    await expect(start(dataDir)).rejects.toThrow(/data of Postgres 17, and this is Postgres 18/);
    writeFileSync(join(cluster, "PG_VERSION"), "18\n");
    await expect(start(dataDir)).rejects.toThrow(/password is missing/);
    writeFileSync(join(dataDir, "PG_VERSION"), "18\n");
    await expect(start(dataDir)).rejects.toMatchObject({ code: "POSTGRES_CLUSTER" });
    expect(readFileSync(join(cluster, "diary.txt"), "utf8")).toBe("mine");
  });

  test.runIf(asRoot)("of root's, below a folder that others cannot enter, goes where they can", async () => {
    const closed = temporaryFolder();
    chmodSync(closed, 0o700);
    const dataDir = join(closed, "postgres");
    const first = await start(dataDir);
    const moved = readFileSync(join(dataDir, "moved-to"), "utf8").trim();
    onTestFinished(() => rmSync(moved, { recursive: true, force: true }));
    expect(moved).toMatch(/^\/var\/lib\/tessera\//);
    expect(first.clusterDir).toBe(join(moved, "cluster"));
    expect(first.lines[0]).toContain(`goes to ${moved}`);
    await query(first.url, "create table kept (n int)");
    await first.stop();
    const second = await start(dataDir);
    expect(await query(second.url, "select * from kept")).toEqual([]);
    await second.stop();
  });

  test("of a scratch server is gone after it", async () => {
    const server = await startScratchPostgres({ database: "other" });
    expect(await query(server.url, "select current_database() as db")).toEqual([{ db: "other" }]);
    await server.stop();
    expect(existsSync(server.clusterDir)).toBe(false);
  });
});
