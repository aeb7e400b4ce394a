import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "../../cli/proc.mjs";

const LOOK_MS = 20;
const GROUP_MS = 5_000;
/** A fast shutdown writes a checkpoint first, which may take a while after a bench. */
const POSTGRES_FAST_MS = 30_000;
/** After SIGQUIT the postmaster itself gives its backends 5 s before it kills them. */
const POSTGRES_IMMEDIATE_MS = 15_000;

/** Looks every 20 ms until `condition` holds or `ms` have passed; gives whether it held. */
export async function waitUntil(condition: () => boolean, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** Sends a signal to a process (or, negative, to a group); gives whether there was one to get it. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

export type EndingOptions = {
  /** The first, polite signal, to the leader alone; SIGTERM by default. */
  readonly signal?: NodeJS.Signals | undefined;
  /** How long the leader gets after it, in milliseconds; 5 s by default. */
  readonly patienceMs?: number | undefined;
};

/**
 * Ends a process group: a signal to its leader, who may want to end the others in order; when the leader is gone
 * or its time is up, SIGKILL to whoever is left.
 */
export async function endGroup(leader: ProcessIdentity, options: EndingOptions = {}): Promise<void> {
  if (isAlive(leader)) {
    send(leader.pid, options.signal ?? "SIGTERM");
    await waitUntil(() => !isAlive(leader), options.patienceMs ?? GROUP_MS);
  }
  send(-leader.pid, "SIGKILL");
  await waitUntil(() => !isAlive(leader), GROUP_MS);
}

/**
 * Stops a postmaster: SIGINT, then SIGQUIT if it has not ended in 30 s. Its backends are its own affair.
 * @returns whether it has ended
 */
export async function endPostgres(postmaster: ProcessIdentity): Promise<boolean> {
  for (const [signal, ms] of [
    ["SIGINT", POSTGRES_FAST_MS],
    ["SIGQUIT", POSTGRES_IMMEDIATE_MS],
  ] as const) {
    if (!isAlive(postmaster)) return true;
    send(postmaster.pid, signal);
    if (await waitUntil(() => !isAlive(postmaster), ms)) return true;
  }
  return false;
}
