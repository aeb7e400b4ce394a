import type { Bench } from "./bench.ts";
import { type Probe, probeMachine } from "./machine.ts";
import { type Interval, measure } from "./measure.ts";
import { DISTURBED, Patience } from "./patience.ts";
import type { PgbenchResult } from "./pgbench.ts";
import type { Row, Sample } from "./row.ts";

/** All that one round gave: the baseline before and after everything else, and every other row once. */
export type Round = {
  readonly baselines: readonly [Sample, Sample];
  readonly samples: ReadonlyMap<string, Sample>;
  readonly probe: Probe;
  /** What pgbench itself made of the baseline, right after the second one; null where it was not run. */
  readonly pgbench: PgbenchResult | null;
};

export type Plan = {
  readonly baseline: Row;
  /** The other rows, in the order of the report. */
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly seconds: number;
  readonly beforeRound: () => Promise<unknown>;
  readonly pgbench: () => Promise<PgbenchResult | null>;
  readonly onSample: (round: number, row: Row, sample: Sample) => void;
};

/** Compiling and filling caches takes longest the first time. */
const FIRST_WARM_UP_SECONDS = 2.5;
const WARM_UP_SECONDS = 1;

/** How long all rounds will take, in seconds. */
export function plannedSeconds({ rounds, seconds, rows }: Pick<Plan, "rounds" | "seconds" | "rows">): number {
  const intervals = rows.length + 2;
  return intervals * (rounds * (seconds + WARM_UP_SECONDS) + FIRST_WARM_UP_SECONDS - WARM_UP_SECONDS);
}

/** Of the planned time, so that a run on a busy machine stays bounded. */
export const PATIENCE_SHARE = 0.2;

/** Measures again what a neighbour has disturbed, once it is quiet; the less disturbed sample counts. */
async function undisturbed(bench: Bench, row: Row, interval: Interval, patience: Patience): Promise<Sample> {
  let best = await measure(bench, row, interval);
  while (best.others > DISTURBED && patience.allows(interval.seconds + interval.warmUpSeconds)) {
    await patience.untilQuiet(bench.signal);
    const again = await measure(bench, row, interval);
    if (again.others < best.others) best = again;
  }
  return best;
}

/**
 * Measures every row in every round, so that what the machine does in a round is in all its figures alike. Every other
 * round goes backwards: what a row leaves behind (dirty pages, garbage) then burdens each of its neighbours once.
 */
export async function runRounds(bench: Bench, plan: Plan): Promise<Round[]> {
  const rounds: Round[] = [];
  const measured = new Set<string>();
  const patience = new Patience(PATIENCE_SHARE * plannedSeconds(plan));
  const shortest = Math.min(plan.seconds, WARM_UP_SECONDS);
  for (let number = 1; number <= plan.rounds; number++) {
    const once = async (row: Row): Promise<Sample> => {
      const warmUpSeconds = measured.has(row.name) ? shortest : Math.min(plan.seconds, FIRST_WARM_UP_SECONDS);
      measured.add(row.name);
      const sample = await undisturbed(bench, row, { warmUpSeconds, seconds: plan.seconds }, patience);
      plan.onSample(number, row, sample);
      return sample;
    };
    await plan.beforeRound();
    const probe = probeMachine(bench.home);
    const first = await once(plan.baseline);
    const samples = new Map<string, Sample>();
    for (const row of number % 2 === 1 ? plan.rows : plan.rows.toReversed())
      samples.set(row.name, await once(row));
    const baselines = [first, await once(plan.baseline)] as const;
    rounds.push({ baselines, samples, probe, pgbench: await plan.pgbench() });
  }
  return rounds;
}
