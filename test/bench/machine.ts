import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

/** Where a report was made. */
export type Machine = {
  readonly cores: number;
  readonly memoryGiB: number;
  readonly cpu: string;
  readonly kernel: string;
  readonly node: string;
  readonly postgres: string;
};

export function describeMachine(postgresVersion: string): Machine {
  const [first, ...others] = cpus();
  return {
    cores: others.length + 1,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    cpu: first?.model.trim() ?? "unknown",
    kernel: release(),
    node: process.version,
    postgres: postgresVersion,
  };
}

/** What the machine did with the same small work in each round, which is what every figure of that round rode on. */
export type Probe = {
  /** CPU time that a fixed computation took: rises when a core is slowed down or shared with another guest. */
  readonly spinCpuMs: number;
  /** Its time by the clock: above that by what it waited for a core. */
  readonly spinMs: number;
  /** Median time to make 8 kB durable: what a lone commit waits for. */
  readonly syncMs: number;
};

const SPIN_STEPS = 60_000_000;
const SYNCS = 25;

/** @param dir on the disk that the database uses */
export function probeMachine(dir: string): Probe {
  return { ...spin(), syncMs: timeSync(dir) };
}

function spin(): Pick<Probe, "spinCpuMs" | "spinMs"> {
  const cpuFrom = process.cpuUsage();
  const from = performance.now();
  let state = 1;
  for (let step = 0; step < SPIN_STEPS; step++) state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
  const spinMs = performance.now() - from;
  const { user, system } = process.cpuUsage(cpuFrom);
  // Using the result keeps the loop from being optimized away; it is never this.
  if (state === 0.5) throw new Error("unreachable");
  return { spinCpuMs: (user + system) / 1_000, spinMs };
}

function timeSync(dir: string): number {
  const path = join(dir, "sync-probe");
  const file = openSync(path, "w", 0o600);
  const page = Buffer.alloc(8_192, 1);
  try {
    const times = Array.from({ length: SYNCS }, (_, at) => {
      writeSync(file, page, 0, page.length, at * page.length);
      const from = performance.now();
      fdatasyncSync(file);
      return performance.now() - from;
    });
    return median(times);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
