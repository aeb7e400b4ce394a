import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { commandLineOf, parentOf } from "../../cli/proc.mjs";
import { eventually } from "./temporary.ts";

/** A process that starts services and is then killed. */
export type Doomed = {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** The pids of what it has started, once it has. */
  readonly services: () => Promise<readonly number[]>;
  /** The pid of its reaper. */
  readonly reaper: () => number;
  readonly kill: () => Promise<void>;
};

/** Runs one of the fixtures. */
export function startDoomed(fixture: string, args: readonly string[]): Doomed {
  const script = fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      output += text.toString();
    });
  }
  return {
    process: child,
    output: () => output,
    services: async () => {
      await eventually(`${fixture} is up`, () => /^services .*\n/m.test(output)).catch((error: unknown) => {
        throw new Error(`${String(error)}; it printed:\n${output}`);
      });
      const pids = /^services (.*)$/m.exec(output)?.[1]?.split(" ") ?? [];
      return pids.map(Number);
    },
    reaper: () => {
      const pids = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
      const found = pids.find(
        (pid) => parentOf(pid) === child.pid && commandLineOf(pid).includes("reaper.sh"),
      );
      if (found === undefined) throw new Error("the launcher has no reaper");
      return found;
    },
    kill: async () => {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
    },
  };
}
