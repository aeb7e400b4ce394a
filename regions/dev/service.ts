import { spawn } from "node:child_process";
import { closeSync, fstatSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, type ProcessIdentity } from "../../cli/proc.mjs";
import { endGroup, send } from "./ending.ts";
import { openLogFile, readLog, tailOf } from "./log-file.ts";
import { StartProblem } from "./problem.ts";

const READY_TIMEOUT_MS = 30_000;
const LOOK_MS = 25;

/** How a process ended: `asked` is true if we had stopped it, false if it ended by itself. */
export type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly asked: boolean;
};

export type ServiceSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** stdout and stderr are appended here; a file over 10 MB starts over. */
  readonly logFile: string;
  /** Matched against what this start has logged, or asked again and again; a rejection counts as "not yet". */
  readonly ready: RegExp | (() => Promise<boolean>);
  /** 30 s by default. */
  readonly readyTimeoutMs?: number;
  /** How long `stop` waits before it kills; 5 s by default. */
  readonly stopTimeoutMs?: number;
};

export type Service = {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** Sends `signal` (SIGTERM) to the service, and SIGKILL to its process group when its time is up. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** SIGKILL to the process group. */
  kill(): Promise<Exit>;
};

/** A service ended before it was ready, or took too long. The message carries the end of its log. */
export class ServiceNotReadyError extends StartProblem {
  readonly service: string;
  readonly logFile: string;

  constructor(service: string, what: string, logFile: string, tail: string) {
    super("SERVICE_NOT_READY", `${service} ${what}. Its log, ${logFile}, ends with:\n${tail}`);
    this.service = service;
    this.logFile = logFile;
  }
}

/** A service that has started and may not be ready yet. */
export type StartingService = {
  readonly service: Service;
  readonly identity: ProcessIdentity;
  /** @throws {ServiceNotReadyError} after it has stopped the service */
  readonly untilReady: () => Promise<void>;
};

/**
 * Starts a program as the leader of a session of its own, so that a terminal's Ctrl-C reaches only the launcher.
 * Its output goes straight into the file, not through us: our end does not break it, and costs us nothing.
 * @throws the system's error (ENOENT, EACCES), if the program cannot be run
 */
export async function startService(spec: ServiceSpec): Promise<StartingService> {
  const logFd = openLogFile(spec.logFile);
  const logFrom = fstatSync(logFd).size;
  const child = spawn(spec.command, [...spec.args], {
    cwd: spec.cwd,
    env: { ...process.env, ...spec.env },
    detached: true,
    stdio: ["ignore", logFd, logFd],
  });
  closeSync(logFd);
  let asked = false;
  let exit: Exit | null = null;
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      exit = { code, signal, asked };
      // Whoever it had started does not outlive it.
      if (child.pid !== undefined) send(-child.pid, "SIGKILL");
      resolve(exit);
    });
  });
  const { pid } = child;
  const identity = pid === undefined ? null : identityOf(pid);
  if (pid === undefined || identity === null) {
    throw await new Promise<Error>((resolve) => {
      child.once("error", resolve); // there is no such program
      void exited.then((how) => resolve(endedEarly(how))); // it ended while we were looking
    });
  }

  function notReady(what: string): ServiceNotReadyError {
    return new ServiceNotReadyError(spec.name, what, spec.logFile, tailOf(spec.logFile, logFrom));
  }

  function endedEarly(how: Exit): ServiceNotReadyError {
    return notReady(`ended before it was ready (${describe(how)})`);
  }

  const service: Service = {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    exited,
    async stop(signal) {
      asked = true;
      await endGroup(identity, { signal, patienceMs: spec.stopTimeoutMs });
      return exited;
    },
    async kill() {
      asked = true;
      send(-pid, "SIGKILL");
      return exited;
    },
  };

  async function untilReady(): Promise<void> {
    const timeoutMs = spec.readyTimeoutMs ?? READY_TIMEOUT_MS;
    const deadline = performance.now() + timeoutMs;
    while (!(await isReady(spec, logFrom, deadline))) {
      if (exit !== null) throw endedEarly(exit);
      if (performance.now() >= deadline) {
        await service.stop();
        throw notReady(`was not ready after ${timeoutMs / 1000} s`);
      }
      await Promise.race([exited, sleep(LOOK_MS)]);
    }
  }

  return { service, identity, untilReady };
}

async function isReady(spec: ServiceSpec, logFrom: number, deadline: number): Promise<boolean> {
  const { ready } = spec;
  if (ready instanceof RegExp) return readLog(spec.logFile, logFrom).search(ready) >= 0;
  const leftMs = Math.max(deadline - performance.now(), 0);
  const answer = ready().catch(() => false);
  const timeUp = new AbortController();
  try {
    return await Promise.race([answer, sleep(leftMs, false, { signal: timeUp.signal })]);
  } finally {
    timeUp.abort();
  }
}

/** "code 1" or "SIGKILL". */
export function describe(exit: Pick<Exit, "code" | "signal">): string {
  return exit.signal ?? `code ${exit.code}`;
}
