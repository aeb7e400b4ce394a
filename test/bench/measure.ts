import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { ClosedLoop } from "./closed-loop.ts";
import { machineTime } from "./cpu-time.ts";
import { OpenLoop } from "./open-loop.ts";
import type { Row, Sample } from "./row.ts";
import { readServerCounters } from "./server-counters.ts";
import { sumOf } from "./statistics.ts";
import type { Counted } from "./tally.ts";

export type Interval = { readonly warmUpSeconds: number; readonly seconds: number };

/** How much longer than planned a load may take: units under way, and a machine that stalls. */
const GRACE_SECONDS = 30;

/**
 * Measures one row once. Phases: 1 warm up (connections, prepared statements, compiled code) | 2 read the clocks and
 * count while the load runs on | 3 read them again, then let the load end.
 * @throws if not one unit succeeded while it warmed up, or if the bench was asked to stop
 */
export async function measure(bench: Bench, row: Row, interval: Interval): Promise<Sample> {
  const { warmUpSeconds, seconds } = interval;
  const { signal } = bench;
  const limit = warmUpSeconds + seconds + GRACE_SECONDS;
  const loop =
    row.arrivals === undefined
      ? new ClosedLoop(row.clients, limit, row.run)
      : new OpenLoop(row.arrivals(), limit, () => row.run(0));
  try {
    await sleep(warmUpSeconds * 1_000, undefined, { signal });
    const warm = loop.counted();
    if (warm.units === 0 && warm.failures > 0)
      throw new Error(`${row.name}: every unit fails: ${warm.firstFailure}`);
    row.onCount?.();
    const before = await readings(bench, row, () => loop.count());
    await sleep(seconds * 1_000, undefined, { signal });
    const after = await readings(bench, row, () => loop.counted());
    await loop.stop();
    const extras = (await row.afterwards?.()) ?? {};
    const sample = sampleOf(row, after.during, before, after, extras);
    row.onSample?.(sample);
    return sample;
  } finally {
    await loop.stop();
  }
}

type Readings<T> = Awaited<ReturnType<typeof readings<T>>>;

/**
 * Reads all clocks. The server's own counters answer a little later than the rest, and equally so before and after,
 * so that both intervals are of one length.
 */
async function readings<T>(bench: Bench, row: Row, at: () => T) {
  const cpu = Object.fromEntries(row.processes.map(({ name, readMs }) => [name, readMs()]));
  const machine = machineTime();
  const during = at();
  return { cpu, machine, during, server: await readServerCounters(bench.admin) };
}

function sampleOf(
  row: Row,
  counted: Counted,
  before: Readings<void>,
  after: Readings<unknown>,
  extras: Readonly<Record<string, number>>,
): Sample {
  const { units, seconds } = counted;
  const each = (total: number) => (units === 0 ? Number.NaN : total / units);
  const cpu = Object.fromEntries(
    row.processes.map(({ name }) => [name, (after.cpu[name] ?? 0) - (before.cpu[name] ?? 0)]),
  );
  const cpuByProcess = Object.fromEntries(Object.entries(cpu).map(([name, ms]) => [name, each(ms)]));
  const machineMs = seconds * 1_000 * availableParallelism();
  const busyMs = after.machine.busyMs - before.machine.busyMs;
  return {
    rate: units / seconds,
    units,
    p50Ms: counted.p50Ms,
    p99Ms: counted.p99Ms,
    cpuByProcess,
    cpuMs: sumOf(cpuByProcess, [...row.ours]),
    walBytes: each(after.server.walBytes - before.server.walBytes),
    walSyncs: each(after.server.walSyncs - before.server.walSyncs),
    fullPages: each(after.server.fullPages - before.server.fullPages),
    failures: counted.failures,
    firstFailure: counted.firstFailure,
    extras,
    others: Math.max(0, busyMs - sumOf(cpu)) / machineMs,
    stolen: (after.machine.stolenMs - before.machine.stolenMs) / machineMs,
  };
}
