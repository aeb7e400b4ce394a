import type { Bench } from "./bench.ts";
import { type Probe, probeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import type { Row, Sample } from "./row.ts";

/** All that one round gave: the baseline before and after everything else, and every other row once. */
export type Round = {
  readonly baselines: readonly [Sample, Sample];
  readonly samples: ReadonlyMap<string, Sample>;
  readonly probe: Probe;
};

export type Plan = {
  readonly baseline: Row;
  /** The other rows, in the order of the report. */
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly seconds: number;
  readonly beforeRound: () => Promise<unknown>;
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

/**
 * Measures every row in every round, so that what the machine does in a round is in all its figures alike. Every other
 * round goes backwards: what a row leaves behind (dirty pages, garbage) then burdens each of its neighbours once.
 */
export async function runRounds(bench: Bench, plan: Plan): Promise<Round[]> {
  const rounds: Round[] = [];
  const measured = new Set<string>();
  const shortest = Math.min(plan.seconds, WARM_UP_SECONDS);
  for (let number = 1; number <= plan.rounds; number++) {
    const once = async (row: Row): Promise<Sample> => {
      const warmUpSeconds = measured.has(row.name) ? shortest : Math.min(plan.seconds, FIRST_WARM_UP_SECONDS);
      measured.add(row.name);
      const sample = await measure(bench, row, { warmUpSeconds, seconds: plan.seconds });
      plan.onSample(number, row, sample);
      return sample;
    };
    await plan.beforeRound();
    const probe = probeMachine(bench.home);
    const first = await once(plan.baseline);
    const samples = new Map<string, Sample>();
    for (const row of number % 2 === 1 ? plan.rows : plan.rows.toReversed())
      samples.set(row.name, await once(row));
    rounds.push({ baselines: [first, await once(plan.baseline)], samples, probe });
  }
  return rounds;
}
