import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { identityOf } from "../../cli/proc.mjs";
import { FolderInUseError } from "../../regions/dev/claim.ts";
import { projectRoot } from "../../regions/dev/home.ts";
import { type Launcher, openLauncher } from "../../regions/dev/processes.ts";
import { ServiceNotReadyError, type ServiceSpec } from "../../regions/dev/service.ts";
import { startDoomed } from "./doomed.ts";
import { eventually, running, temporaryFolder } from "./temporary.ts";

async function open(dir = temporaryFolder()): Promise<Launcher & { readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const launcher = await openLauncher({ dir, log: (line) => lines.push(line) });
  onTestFinished(() => launcher.stopAll());
  return Object.defineProperty(launcher as Launcher & { lines: string[] }, "lines", { value: lines });
}

/** A service that is a shell script. */
function shell(dir: string, script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name: "shell",
    command: "/bin/sh",
    args: ["-c", script],
    logFile: join(dir, "shell.log"),
    ready: /ready/,
    stopTimeoutMs: 200,
    ...more,
  };
}

/** The numbers that a service has printed. */
const printed = (dir: string) =>
  (readFileSync(join(dir, "shell.log"), "utf8").match(/\d+/g) ?? []).map(Number);

describe("a service", () => {
  test("is ready when its output says so, logs to its file, and stops when asked", async () => {
    const launcher = await open();
    const service = await launcher.spawnService(
      shell(launcher.dir, 'echo "to stderr" >&2; sleep 0.1; echo "is ready: $GREETING"; exec sleep 1000', {
        env: { GREETING: "hello" },
      }),
    );
    expect(readFileSync(service.logFile, "utf8")).toBe("to stderr\nis ready: hello\n");
    expect(await service.stop()).toEqual({ code: null, signal: "SIGTERM", asked: true });
    expect(running(service.pid)).toBeNull();
  });

  test("is ready when it answers", async () => {
    const launcher = await open();
    let asked = 0;
    const ready = async () => {
      asked++;
      if (asked === 1) throw new Error("connection refused");
      return asked === 3;
    };
    await launcher.spawnService(shell(launcher.dir, "exec sleep 1000", { ready }));
    expect(asked).toBe(3);
  });

  test("leads a session of its own, so a terminal's Ctrl-C does not reach it", async () => {
    const launcher = await open();
    const { pid } = await launcher.spawnService(shell(launcher.dir, "echo ready; exec sleep 1000"));
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ");
    expect(stat?.slice(2, 4)).toEqual([String(pid), String(pid)]);
  });

  test("that ends before it is ready is an error with the end of its log", async () => {
    const launcher = await open();
    writeFileSync(join(launcher.dir, "shell.log"), "from an earlier run: ready\n");
    const started = launcher.spawnService(shell(launcher.dir, "echo no such table; exit 3"));
    await expect(started).rejects.toThrow(ServiceNotReadyError);
    await expect(started).rejects.toThrow(
      /shell ended before it was ready \(code 3\).*shell\.log.*\n {2}no such table$/s,
    );
    await expect(started).rejects.not.toThrow("earlier run");
  });

  test("that is not ready in time is stopped, and an error", async () => {
    const launcher = await open();
    const spec = shell(launcher.dir, "trap '' TERM; echo $$ starting; sleep 1000", { readyTimeoutMs: 150 });
    await expect(launcher.spawnService(spec)).rejects.toThrow(/was not ready after 0\.15 s/);
    expect(printed(launcher.dir).map(running)).toEqual([null]);
  });

  test("whose program does not exist is an error", async () => {
    const launcher = await open();
    const spec = shell(launcher.dir, "", { command: "/nowhere/program" });
    await expect(launcher.spawnService(spec)).rejects.toThrow("ENOENT");
  });

  test("that ignores SIGTERM is killed with all that it has started", async () => {
    const launcher = await open();
    const script = "trap '' TERM; sleep 1000 & echo ready $$ $!; wait; sleep 1000";
    const service = await launcher.spawnService(shell(launcher.dir, script));
    const pids = printed(launcher.dir);
    expect(pids.map((pid) => running(pid) !== null)).toEqual([true, true]);
    expect(await service.stop()).toMatchObject({ signal: "SIGKILL", asked: true });
    await eventually("both have ended", () => pids.every((pid) => running(pid) === null));
  });

  test("that ends by itself says so, and what it had started ends, too", async () => {
    const launcher = await open();
    const script = "sleep 1000 & echo ready $$ $!; sleep 0.1; exit 5";
    const service = await launcher.spawnService(shell(launcher.dir, script));
    expect(await service.exited).toEqual({ code: 5, signal: null, asked: false });
    await eventually("its child has ended", () =>
      printed(launcher.dir).every((pid) => running(pid) === null),
    );
  });

  test("starts its log over when that has passed 10 MB", async () => {
    const launcher = await open();
    const file = join(launcher.dir, "shell.log");
    writeFileSync(file, Buffer.alloc(10 * 1024 * 1024 + 1, "x"));
    await launcher.spawnService(shell(launcher.dir, "echo ready; exec sleep 1000"));
    expect(readFileSync(file, "utf8")).toBe("ready\n");
  });
});

describe("a launcher", () => {
  test("stops in reverse order, and leaves no run file", async () => {
    const launcher = await open();
    for (const name of ["first", "second", "third"]) {
      const script = `trap 'echo ${name} >> order; exit 0' TERM; echo ready; while :; do sleep 0.02; done`;
      const logFile = join(launcher.dir, `${name}.log`);
      await launcher.spawnService(
        shell(launcher.dir, script, { name, logFile, cwd: launcher.dir, stopTimeoutMs: 5_000 }),
      );
    }
    const { children } = JSON.parse(readFileSync(join(launcher.dir, "run.json"), "utf8"));
    expect(children.map(({ name }: { name: string }) => name)).toEqual(["first", "second", "third"]);
    await Promise.all([launcher.stopAll(), launcher.stopAll()]);
    expect(readFileSync(join(launcher.dir, "order"), "utf8")).toBe("third\nsecond\nfirst\n");
    expect(readdirSync(launcher.dir)).not.toContain("run.json");
  });

  test("stops a service that is still starting, and starts none afterwards", async () => {
    const launcher = await open();
    const starting = launcher.spawnService(
      shell(launcher.dir, "echo $$; exec sleep 1000", { ready: /never/ }),
    );
    const refused = expect(starting).rejects.toMatchObject({ code: "STOPPING" });
    await eventually("it runs", () => printed(launcher.dir).length === 1);
    await launcher.stopAll();
    await refused;
    expect(printed(launcher.dir).map(running)).toEqual([null]);
    await expect(launcher.spawnService(shell(launcher.dir, "echo ready"))).rejects.toMatchObject({
      code: "STOPPING",
    });
  });

  test("refuses a folder that another live one has, naming it, until that has stopped", async () => {
    const dir = temporaryFolder();
    const other = startDoomed("launcher.ts", [dir]);
    const pids = await other.services();
    const refused = openLauncher({ dir, log: () => {} });
    await expect(refused).rejects.toThrow(FolderInUseError);
    await expect(refused).rejects.toThrow(`(process ${other.process.pid})`);
    await expect(refused).rejects.toThrow("TESSERA_DATA_DIR and TESSERA_PORT_BASE");
    expect(pids.every((pid) => running(pid) !== null)).toBe(true);
    await other.kill();
    await open(dir);
    await eventually("nothing is left", () => pids.every((pid) => running(pid) === null));
  });

  test("killed with -9 leaves nothing: its reaper ends what ignores SIGTERM, too", async () => {
    const dir = temporaryFolder();
    const doomed = startDoomed("launcher.ts", [dir]);
    await doomed.services();
    const reaper = doomed.reaper();
    const pids = ["one", "two"].flatMap((name) =>
      (readFileSync(join(dir, `${name}.log`), "utf8").match(/\d+/g) ?? []).map(Number),
    );
    expect(pids.map((pid) => running(pid) !== null)).toEqual([true, true, true, true]);
    await doomed.kill();
    await eventually(
      "everything has ended",
      () => [...pids, reaper].every((pid) => running(pid) === null),
      5_000,
    );
  });

  test("ends what one left whose reaper was killed as well, and only that", async () => {
    const dir = temporaryFolder();
    const doomed = startDoomed("launcher.ts", [dir]);
    const pids = await doomed.services();
    process.kill(doomed.reaper(), "SIGKILL");
    await doomed.kill();
    await sleep(100);
    expect(pids.every((pid) => running(pid) !== null)).toBe(true);
    // A number that now names another process: this one, which started at another time.
    const file = join(dir, "run.json");
    const run = JSON.parse(readFileSync(file, "utf8"));
    run.children.push({ name: "us", kind: "group", identity: { ...identityOf(process.pid), ticks: "1" } });
    writeFileSync(file, JSON.stringify(run));

    const next = await open(dir);
    expect(pids.every((pid) => running(pid) === null)).toBe(true);
    expect(next.lines).toEqual(
      pids.map(
        (pid, i) => `ending ${["one", "two"][i]} (process ${pid}), which an earlier run has left behind`,
      ),
    );
  });

  test("that simply exits leaves nothing either", async () => {
    const doomed = startDoomed("launcher.ts", [temporaryFolder()]);
    const pids = await doomed.services();
    doomed.process.kill("SIGTERM");
    await eventually("everything has ended", () => pids.every((pid) => running(pid) === null), 5_000);
  });

  test("does not hold its process up", async () => {
    const script = `
      import { openLauncher } from ${JSON.stringify(join(projectRoot, "regions", "dev", "processes.ts"))};
      await openLauncher({ dir: ${JSON.stringify(temporaryFolder())}, log: console.log });
    `;
    const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 5_000 });
    expect(status).toBe(0);
  });
});
