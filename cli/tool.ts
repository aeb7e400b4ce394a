import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onParentGone } from "./parent-alive.ts";

const KILL_AFTER_MS = 5_000;

export const projectRoot: string = dirname(dirname(fileURLToPath(import.meta.url)));

let running: ChildProcess | null = null;
let interrupted: NodeJS.Signals | null = null;

/** The signal that asked this command to end, or null. */
export function interruption(): NodeJS.Signals | null {
  return interrupted;
}

function interrupt(signal: NodeJS.Signals): void {
  interrupted ??= signal;
  // A terminal's Ctrl-C has reached the tool already, and another one would cut its own tidying up short.
  if (signal !== "SIGINT") running?.kill(signal);
  const tool = running;
  setTimeout(() => tool?.kill("SIGKILL"), KILL_AFTER_MS).unref();
}

/** From now on, being asked to end (or losing the bootstrap) ends the tool that runs, and this process after it. */
export function passInterruptionsOn(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt(signal));
  onParentGone(() => interrupt("SIGTERM"));
}

/**
 * Runs a JavaScript program under this Node from the project's root, without input, and shows what it prints.
 *
 * @param argv the program's path, relative to the root, and its arguments
 * @param env added to this process's environment
 * @returns its exit code, or 128 + n if signal n ended it; at once if we have been asked to end
 */
export function runTool(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  if (interrupted !== null) return Promise.resolve(128 + constants.signals[interrupted]);
  const tool = spawn(process.execPath, argv, {
    cwd: projectRoot,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  running = tool;
  return new Promise((resolve, reject) => {
    tool.once("error", reject);
    tool.once("exit", (code, signal) => {
      running = null;
      resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
    });
  });
}

/** The path of a program in node_modules, relative to the root: `tool("vitest", "vitest.mjs")`. */
export const tool = (...path: readonly string[]): string => join("node_modules", ...path);
