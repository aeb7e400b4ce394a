import type { Round } from "./rounds.ts";
import type { Sample } from "./row.ts";

const mean = (a: number, b: number) => (a + b) / 2;

/**
 * What a row gave in a round. The baseline is measured before and after everything else: what it gives is the mean.
 * @throws if the round lacks the row
 */
export function sampleIn(round: Round, name: string, baseline: string): Sample {
  const sample = name === baseline ? meanOf(...round.baselines) : round.samples.get(name);
  if (sample === undefined) throw new Error(`${name} was not measured in every round`);
  return sample;
}

function meanOf(first: Sample, last: Sample): Sample {
  const names = Object.keys(first.cpuByProcess);
  return {
    ...first,
    rate: mean(first.rate, last.rate),
    p50Ms: mean(first.p50Ms, last.p50Ms),
    p99Ms: mean(first.p99Ms, last.p99Ms),
    cpuMs: mean(first.cpuMs, last.cpuMs),
    cpuByProcess: Object.fromEntries(
      names.map((name) => [name, mean(first.cpuByProcess[name] ?? 0, last.cpuByProcess[name] ?? 0)]),
    ),
    walBytes: mean(first.walBytes, last.walBytes),
    others: Math.max(first.others, last.others),
  };
}
