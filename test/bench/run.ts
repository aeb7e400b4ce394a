import { type Bench, openBench } from "./bench.ts";
import { type CountedGroup, type Counts, countAll } from "./counting.ts";
import { describeMachine } from "./machine.ts";
import { DISTURBED } from "./patience.ts";
import { findPgbench, runPgbench } from "./pgbench.ts";
import { profileRegion } from "./profile.ts";
import { noiseOf, pgbenchOf, type Report, reportRows } from "./report.ts";
import { PATIENCE_SHARE, plannedSeconds, type Round, runRounds } from "./rounds.ts";
import type { OpenGroup, Row, RowGroup, Sample } from "./row.ts";
import { neededRows, rowGroups } from "./rows/index.ts";
import { BASELINE, tpcb } from "./rows/tpcb.ts";
import { checkpointsDone } from "./server-counters.ts";

export type BenchPlan = {
  /** The rows that were asked for; the baseline and what they are derived from come by themselves. */
  readonly names: ReadonlySet<string>;
  readonly rounds: number;
  readonly seconds: number;
  readonly profile: string | null;
};

type Opened = { readonly group: RowGroup; readonly open: OpenGroup; readonly rows: readonly Row[] };

/**
 * A whole run. Phases: 1 Postgres | 2 what the rows need | 3 the rounds | 4 statements and round trips, which are
 * counted apart since counting costs time | 5 profiles, if asked for | 6 everything ends.
 */
export async function runBench(
  plan: BenchPlan,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<{ report: Report; profiles: string | null }> {
  const startedAt = new Date().toISOString();
  log("starting Postgres, durable, in a folder of its own");
  const bench = await openBench(log, signal);
  const opened: Opened[] = [];
  try {
    await openGroups(bench, plan, opened);
    const baseline = opened[0]?.rows[0];
    if (baseline === undefined) throw new Error("invariant broken: the first group is the baseline");
    const rows = opened.flatMap((one) => one.rows).slice(1);
    await settle(bench, opened);
    const checkpoints = await checkpointsDone(bench.admin);
    const rounds = await runAllRounds(bench, plan, opened, baseline, rows);
    const checkpointsMade = (await checkpointsDone(bench.admin)) - checkpoints;
    const counts = await count(bench, plan, opened);
    const profiles = plan.profile === null ? null : await profile(bench, rows, plan.seconds, plan.profile);
    const [version] = await bench.admin<{ v: string }[]>`select current_setting('server_version') as v`;
    const derived = opened
      .flatMap(({ group }) => group.derived ?? [])
      .filter(({ name }) => plan.names.has(name));
    const report: Report = {
      startedAt,
      machine: describeMachine(version?.v ?? "unknown"),
      rounds: plan.rounds,
      seconds: plan.seconds,
      baseline: BASELINE,
      noise: noiseOf(rounds, checkpointsMade),
      pgbench: pgbenchOf(rounds),
      rows: reportRows({ baseline, rows, derived, rounds, counts }),
    };
    return { report, profiles };
  } finally {
    for (const { open } of opened.toReversed()) await open.close().catch(() => {});
    await bench.close();
  }
}

/** The baseline first; of the others only those with a row that is needed, and of those only the rows. */
async function openGroups(bench: Bench, plan: BenchPlan, opened: Opened[]): Promise<void> {
  for (const group of rowGroups) {
    const needed = neededRows(group, plan.names, group === tpcb ? [BASELINE] : []);
    if (needed.length === 0) continue;
    bench.signal.throwIfAborted();
    bench.log(`preparing ${needed.join(", ")}`);
    const open = await group.open(bench, new Set(needed));
    opened.push({ group, open, rows: open.rows.filter(({ name }) => needed.includes(name)) });
  }
}

/**
 * The first change to a page after a checkpoint puts the whole page into the log. So there is one checkpoint after
 * everything is filled, which also leaves files of the log to be used again, and none while the rounds run.
 */
async function settle(bench: Bench, opened: readonly Opened[]): Promise<void> {
  bench.signal.throwIfAborted();
  bench.log("making a checkpoint");
  await bench.admin`checkpoint`;
  for (const { open } of opened) await open.settled?.();
}

async function runAllRounds(
  bench: Bench,
  { rounds, seconds, names }: BenchPlan,
  opened: readonly Opened[],
  baseline: Row,
  rows: readonly Row[],
): Promise<Round[]> {
  const minutes = plannedSeconds({ rounds, seconds, rows }) / 60;
  bench.log(
    `${rounds} rounds of ${rows.length + 2} intervals of ${seconds} s: about ${minutes.toFixed(1)} minutes, up to ${(minutes * (1 + PATIENCE_SHARE)).toFixed(1)} if neighbours disturb`,
  );
  // Whether the baseline's driver gets out of Postgres what pgbench does: for reading, and a row of nobody's.
  const pgbench = names.has(BASELINE) ? findPgbench() : null;
  return runRounds(bench, {
    baseline,
    rows,
    rounds,
    seconds,
    beforeRound: async () => {
      for (const { open } of opened) await open.beforeRound?.();
    },
    pgbench: async () => (pgbench === null ? null : runPgbench(bench, pgbench, seconds)),
    onSample: (round, row, sample) => bench.log(progress(round, rounds, row, sample)),
  });
}

function progress(round: number, rounds: number, row: Row, sample: Sample): string {
  const { rate, p50Ms, p99Ms, cpuMs, failures, others } = sample;
  return [
    `round ${round}/${rounds}  ${row.name.padEnd(22)}`,
    `${rate.toFixed(0).padStart(6)} ${row.units}/s`.padEnd(22),
    `p50 ${p50Ms.toFixed(1)}  p99 ${p99Ms.toFixed(1)} ms  CPU ${cpuMs.toFixed(2)} ms each`,
    ...(failures > 0 ? [`${failures} FAILED: ${sample.firstFailure}`] : []),
    ...(others > DISTURBED ? [`others took ${(others * 100).toFixed(0)} % of the machine`] : []),
  ].join("  ");
}

async function count(
  bench: Bench,
  { names }: BenchPlan,
  opened: readonly Opened[],
): Promise<ReadonlyMap<string, Counts>> {
  const groups: CountedGroup[] = opened
    .map(({ open, rows }) => ({
      open,
      rows: rows.filter(({ name, database }) => database !== null && names.has(name)),
    }))
    .filter(({ rows }) => rows.length > 0);
  if (groups.length === 0) return new Map();
  bench.log("counting statements and round trips");
  return countAll(bench, groups);
}

/** Under each row that goes through the region's process. */
async function profile(
  bench: Bench,
  rows: readonly Row[],
  seconds: number,
  dir: string,
): Promise<string | null> {
  const through = rows.filter(({ name }) => /^payment\.(region|edge)\./.test(name));
  if (through.length === 0) {
    bench.log("no profile: none of the rows is a payment through the region");
    return null;
  }
  bench.log(`profiling the region under ${through.map(({ name }) => name).join(", ")}`);
  return profileRegion(bench, through, seconds, dir);
}
