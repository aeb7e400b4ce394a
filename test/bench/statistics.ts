/** What a figure was over the rounds: noise on a shared machine is one-sided, so never a mean. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** How far apart the extremes are, as a share of the median: 0.2 is 20 %. */
export function relativeSpread({ median: middle, min, max }: Spread): number {
  return (max - min) / middle;
}

/** Each round's value over the same round's baseline: what both share of the machine's mood cancels out. */
export function ratios(values: readonly number[], baselines: readonly number[]): number[] {
  if (values.length !== baselines.length) throw new Error("a ratio needs a baseline in every round");
  return values.map((value, round) => value / (baselines[round] as number));
}

/** Adds records up, key by key. */
export function sumOf(record: Readonly<Record<string, number>>, keys = Object.keys(record)): number {
  return keys.reduce((sum, key) => sum + (record[key] ?? 0), 0);
}
