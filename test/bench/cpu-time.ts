import { readdirSync, readFileSync } from "node:fs";

/**
 * CPU time of other processes from /proc (proc(5)). The scheduler counts in nanoseconds in `schedstat`; where a
 * kernel lacks that file, `stat` has ticks of 10 ms.
 */
const TICK_MS = 10;

/** A process, or several that belong together, and the CPU time they have used so far. */
export type CpuMeter = { readonly name: string; readonly readMs: () => number };

/** Fields of /proc/PID/stat from `state` (field 3) on: those before it may contain spaces. */
function statOf(path: string): readonly string[] | null {
  try {
    const stat = readFileSync(`${path}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

const PARENT = 1;
const USER = 11;
const SYSTEM = 12;
const REAPED_USER = 13;
const REAPED_SYSTEM = 14;
const ticks = (stat: readonly string[] | null, ...fields: readonly number[]) =>
  fields.reduce((sum, field) => sum + Number(stat?.[field] ?? 0), 0) * TICK_MS;

function threadMs(path: string): number {
  try {
    return Number(readFileSync(`${path}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return ticks(statOf(path), USER, SYSTEM);
  }
}

/** All threads of a process; 0 once it has ended. */
function processMs(pid: number): number {
  let sum = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) sum += threadMs(`/proc/${pid}/task/${thread}`);
  } catch {
    // It has ended.
  }
  return sum;
}

/** A process by its pid, which is asked for at every reading: a service may have been started again. */
export function processMeter(name: string, pid: () => number): CpuMeter {
  return { name, readMs: () => processMs(pid()) };
}

/** This very process. */
export function ownMeter(name: string): CpuMeter {
  return {
    name,
    readMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
  };
}

/** A Postgres with all that belongs to it: postmaster, backends, background processes, and those that have ended. */
export function postgresMeter(name: string, postmaster: number): CpuMeter {
  return {
    name,
    readMs() {
      let sum = processMs(postmaster);
      for (const entry of readdirSync("/proc")) {
        if (!/^\d+$/.test(entry)) continue;
        if (Number(statOf(`/proc/${entry}`)?.[PARENT]) === postmaster) sum += processMs(Number(entry));
      }
      return sum + ticks(statOf(`/proc/${postmaster}`), REAPED_USER, REAPED_SYSTEM);
    },
  };
}

/** CPU time of the whole machine so far, all cores together. `stolenMs` went to other guests of its host. */
export type MachineTime = { readonly busyMs: number; readonly stolenMs: number };

export function machineTime(): MachineTime {
  const line = readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "";
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((field) => Number(field) * TICK_MS);
  return { busyMs: user + nice + system + irq + softIrq, stolenMs: stolen };
}
