import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import { freePortBlock } from "../support/platform.ts";

/** `npm start` as a person runs it: through the bootstrap, by its output, its files and its processes. */
let home: string;
let base: number;
let running: Started[];

type Started = { readonly child: ChildProcess; output: string; readonly exit: Promise<number | null> };

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "tessera-start-"));
  base = (await freePortBlock()).edge;
  running = [];
});
afterEach(async () => {
  for (const { child, exit } of running) {
    child.kill("SIGTERM");
    await exit;
  }
  expect(processesOf(home)).toEqual([]);
  rmSync(home, { recursive: true, force: true });
});

function start(args: readonly string[] = [], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ["cli/run.mjs", "start", ...args], {
    cwd: projectRoot,
    env: {
      ...process.env,
      TESSERA_DATA_DIR: home,
      TESSERA_PORT_BASE: String(base),
      DATABASE_URL: "",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const started: Started = { child, output: "", exit };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      started.output += String(chunk);
    });
  }
  running.push(started);
  return started;
}

async function until<T>(what: string, look: () => T | undefined | false, ms = 90_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline)
      throw new Error(`${what} did not happen:\n${running.map(({ output }) => output).join("\n---\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isUp = (started: Started) =>
  until("the platform's start", () => {
    if (started.child.exitCode !== null) throw new Error(`it ended: ${started.output}`);
    return started.output.includes("Ctrl-C ends everything");
  });

/** Processes that have the folder in their command line, or in their environment. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const [line, environment] = [
          readFileSync(`/proc/${pid}/cmdline`, "utf8"),
          readFileSync(`/proc/${pid}/environ`, "utf8"),
        ];
        return line.includes(folder) || environment.includes(folder)
          ? [`${pid} ${line.replaceAll("\0", " ")}`]
          : [];
      } catch {
        return [];
      }
    });
}

it("takes the demo payment, tells its walk, and leaves nothing running", async () => {
  const demo = start(["--demo"]);
  expect(await demo.exit, demo.output).toBe(0);
  for (const words of [
    "a request went all the way through",
    "claims key, amount and the exact request",
    "is CAPTURED: 49.00 EUR by visa ending 4242",
    "sale, single: 49.00 EUR from provider_receivable to merchant_payable",
  ]) {
    expect(demo.output).toContain(words);
  }
  expect(demo.output.match(/\d+\.\d ms/g)?.length).toBeGreaterThanOrEqual(8);
  expect(existsSync(join(home, "dev.json"))).toBe(false);
  expect(processesOf(home)).toEqual([]);
});

it("stays up with its addresses and keys in dev.json, and a second one runs beside it", async () => {
  const first = start();
  await isUp(first);
  const file = join(home, "dev.json");
  expect(statSync(file).mode & 0o077).toBe(0);
  const dev = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  expect(Object.keys(dev).sort()).toEqual(
    [
      "checkout",
      "database",
      "edge",
      "explorer",
      "gateway",
      "publishableKey",
      "sandbox",
      "secretKey",
      "vault",
    ].sort(),
  );
  for (const name of ["edge", "vault", "gateway", "checkout", "sandbox"]) {
    expect(new URL(dev[name] as string).hostname, name).toBe("127.0.0.1");
  }
  const curl = /curl[\s\S]*?-d '([^']*)'/.exec(first.output);
  const paid = await fetch(`${dev["edge"]}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${dev["secretKey"]}`, "content-type": "application/json" },
    body: curl?.[1] ?? "",
  });
  expect(await paid.json()).toMatchObject({
    data: { authorizePayment: { __typename: "Payment", state: "CAPTURED" } },
  });

  const otherHome = mkdtempSync(join(tmpdir(), "tessera-start-"));
  const other = start(["--demo"], {
    TESSERA_DATA_DIR: otherHome,
    TESSERA_PORT_BASE: String((await freePortBlock()).edge),
  });
  expect(await other.exit, other.output).toBe(0);
  expect((await fetch(`${dev["edge"]}/healthz`)).ok).toBe(true);
  rmSync(otherHome, { recursive: true, force: true });

  const again = start();
  expect(await again.exit).toBe(1);
  expect(again.output).toContain("TESSERA_DATA_DIR");

  first.child.kill("SIGINT");
  expect(await first.exit).toBe(0);
  expect(existsSync(file)).toBe(false);
});

it("recovers after kill -9 of any part, and of itself", async () => {
  const first = start();
  await isUp(first);
  const part = (name: string) =>
    processesOf(home)
      .find((line) => line.includes(name))
      ?.split(" ")[0];
  process.kill(Number(part("regions/main.ts")), "SIGKILL");
  expect(await first.exit).toBe(1);
  expect(first.output).toContain("region ended by itself");
  await until("the end of every process", () => processesOf(home).length === 0);

  const second = start();
  await isUp(second);
  process.kill(Number(part("postgres -D") ?? part("bin/postgres")), "SIGKILL");
  expect(await second.exit).toBe(1);
  await until("the end of every process", () => processesOf(home).length === 0);

  const third = start();
  await isUp(third);
  process.kill(Number(part("regions/dev/start.ts")), "SIGKILL");
  await third.exit;
  await until("the end of every process", () => processesOf(home).length === 0);

  const fourth = start(["--demo"]);
  expect(await fourth.exit, fourth.output).toBe(0);
});

it("names a busy port and how to change it", async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(base + 2, "127.0.0.1", resolve));
  const refused = start();
  expect(await refused.exit).toBe(1);
  expect(refused.output).toContain(String(base + 2));
  expect(refused.output).toContain("TESSERA_PORT_BASE");
  await new Promise((resolve) => squatter.close(resolve));
});
