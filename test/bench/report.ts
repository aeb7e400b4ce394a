import type { Counts } from "./counting.ts";
import type { Machine } from "./machine.ts";
import type { Round } from "./rounds.ts";
import type { DerivedRow, Row, Sample } from "./row.ts";
import { median, ratios, type Spread, spreadOf, sumOf } from "./statistics.ts";

/** A row of the report: medians over the rounds. What a row does not have is null. */
export type ReportRow = {
  readonly name: string;
  readonly value: number;
  /** "payments/s", "ms". */
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** The baseline's value in the same rounds. */
  readonly baseline: number | null;
  /** Value over baseline, of each round; the median. */
  readonly ratio: number | null;
  readonly ratioMin: number | null;
  readonly ratioMax: number | null;
  /** CPU time over the baseline's, of each round: how many TPC-B transactions a unit costs. */
  readonly cpuRatio: number | null;
  readonly cpuRatioMin: number | null;
  readonly cpuRatioMax: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly p99MaxMs: number | null;
  /** Per unit, of what an operator pays for: neither the provider nor whoever asks. */
  readonly cpuMs: number | null;
  readonly cpuByProcess: Readonly<Record<string, number>>;
  readonly walBytes: number | null;
  readonly walSyncs: number | null;
  readonly fullPages: number | null;
  readonly statements: number | null;
  readonly statementsInside: number | null;
  readonly roundTrips: number | null;
  readonly roundTripsBy: Readonly<Record<string, number>>;
  readonly longestStatements: Counts["longest"];
  readonly failures: number;
  /** The share of the machine that processes without a part in it took meanwhile. */
  readonly others: number | null;
  readonly extras: Readonly<Record<string, number>>;
  /** Each round's value, in order. */
  readonly values: readonly number[];
};

/** How much the machine itself moved over the rounds: what no figure can be more exact than. */
export type Noise = {
  /** The baseline's rate, at the beginning and the end of each round. */
  readonly baselineRate: Spread;
  /** The second over the first, of each round. */
  readonly baselineDrift: Spread;
  readonly baselineCpuMs: Spread;
  readonly spinCpuMs: Spread;
  readonly spinMs: Spread;
  readonly syncMs: Spread;
  /** Shares of the machine, over all intervals. */
  readonly others: Spread;
  readonly stolen: Spread;
  readonly checkpoints: number;
};

export type Report = {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly baseline: string;
  readonly noise: Noise;
  readonly rows: readonly ReportRow[];
};

/** What the rounds came to, without the names that were not asked for. */
export type Findings = {
  readonly baseline: Row;
  readonly rows: readonly Row[];
  readonly derived: readonly DerivedRow[];
  readonly rounds: readonly Round[];
  readonly counts: ReadonlyMap<string, Counts>;
};

const mean = (a: number, b: number) => (a + b) / 2;
const over = <T>(items: readonly T[], figure: (item: T) => number) => median(items.map(figure));
const rounded = (value: number, digits = 4) => Number(value.toPrecision(digits));

/** One row for each of `findings`' rows, in their order, each derived row after the last that it is made from. */
export function reportRows(findings: Findings): ReportRow[] {
  const { baseline, rows, derived, rounds } = findings;
  const rates = rounds.map(({ baselines: [first, last] }) => mean(first.rate, last.rate));
  const cpu = rounds.map(({ baselines: [first, last] }) => mean(first.cpuMs, last.cpuMs));
  const against: Baselines = { rates, cpu };
  const reported = [measuredRow(findings, against, baseline, rates, bothBaselines(rounds))];
  for (const row of rows) {
    const samples = samplesOf(rounds, row.name);
    reported.push(
      measuredRow(
        findings,
        against,
        row,
        samples.map(({ rate }) => rate),
        samples,
      ),
    );
    for (const one of derived) if (one.from.at(-1) === row.name) reported.push(derivedRow(one, rounds));
  }
  return reported;
}

type Baselines = { readonly rates: readonly number[]; readonly cpu: readonly number[] };

const bothBaselines = (rounds: readonly Round[]) => rounds.flatMap(({ baselines }) => baselines);

function samplesOf(rounds: readonly Round[], name: string): Sample[] {
  return rounds.map(({ samples }) => {
    const sample = samples.get(name);
    if (sample === undefined) throw new Error(`${name} was not measured in every round`);
    return sample;
  });
}

function measuredRow(
  { baseline, counts }: Findings,
  against: Baselines,
  row: Row,
  values: readonly number[],
  samples: readonly Sample[],
): ReportRow {
  const isBaseline = row.name === baseline.name;
  const ratio = isBaseline ? null : spreadOf(ratios(values, against.rates));
  const cpuRatio = isBaseline
    ? null
    : spreadOf(
        ratios(
          samples.map(({ cpuMs }) => cpuMs),
          against.cpu,
        ),
      );
  const value = spreadOf(values);
  const counted = counts.get(row.name);
  const writes = row.database !== null;
  return {
    name: row.name,
    value: rounded(value.median),
    unit: `${row.units}/s`,
    min: rounded(value.min),
    max: rounded(value.max),
    baseline: rounded(median(against.rates)),
    ratio: ratio && rounded(ratio.median),
    ratioMin: ratio && rounded(ratio.min),
    ratioMax: ratio && rounded(ratio.max),
    cpuRatio: cpuRatio && rounded(cpuRatio.median),
    cpuRatioMin: cpuRatio && rounded(cpuRatio.min),
    cpuRatioMax: cpuRatio && rounded(cpuRatio.max),
    p50Ms: rounded(over(samples, ({ p50Ms }) => p50Ms)),
    p99Ms: rounded(over(samples, ({ p99Ms }) => p99Ms)),
    p99MaxMs: rounded(Math.max(...samples.map(({ p99Ms }) => p99Ms))),
    cpuMs: rounded(over(samples, ({ cpuMs }) => cpuMs)),
    cpuByProcess: mediansByKey(samples.map(({ cpuByProcess }) => cpuByProcess)),
    walBytes: writes ? rounded(over(samples, ({ walBytes }) => walBytes)) : null,
    walSyncs: writes ? rounded(over(samples, ({ walSyncs }) => walSyncs)) : null,
    fullPages: writes ? rounded(over(samples, ({ fullPages }) => fullPages)) : null,
    statements: counted === undefined ? null : rounded(counted.statements),
    statementsInside: counted === undefined ? null : rounded(counted.statementsInside),
    roundTrips: counted?.roundTrips == null ? null : rounded(counted.roundTrips),
    roundTripsBy: counted?.roundTripsBy ?? {},
    longestStatements: counted?.longest ?? [],
    failures: sumOf(Object.fromEntries(samples.map(({ failures }, at) => [String(at), failures]))),
    others: rounded(over(samples, ({ others }) => others)),
    extras: mediansByKey(samples.map(({ extras }) => extras)),
    values: values.map((one) => rounded(one)),
  };
}

function derivedRow({ name, unit, from, derive }: DerivedRow, rounds: readonly Round[]): ReportRow {
  const derived = rounds.map((round) =>
    derive(...from.map((source) => samplesOf([round], source)[0] as Sample)),
  );
  const values = derived.map(({ value }) => value);
  const spread = spreadOf(values);
  const cpu = derived.map(({ cpuMs }) => cpuMs).filter((ms) => ms !== undefined);
  const none = { baseline: null, ratio: null, ratioMin: null, ratioMax: null };
  const noCpu = { cpuRatio: null, cpuRatioMin: null, cpuRatioMax: null };
  const noTimes = {
    p50Ms: null,
    p99Ms: null,
    p99MaxMs: null,
    walBytes: null,
    walSyncs: null,
    fullPages: null,
  };
  const noCounts = { statements: null, statementsInside: null, roundTrips: null };
  return {
    name,
    value: rounded(spread.median),
    unit,
    min: rounded(spread.min),
    max: rounded(spread.max),
    ...none,
    ...noCpu,
    ...noTimes,
    ...noCounts,
    cpuMs: cpu.length === 0 ? null : rounded(median(cpu)),
    cpuByProcess: {},
    roundTripsBy: {},
    longestStatements: [],
    failures: 0,
    others: null,
    extras: {},
    values: values.map((one) => rounded(one)),
  };
}

function mediansByKey(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const keys = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries(
    [...keys].map((key) => [key, rounded(over(records, (record) => record[key] ?? 0))]),
  );
}

export function noiseOf(rounds: readonly Round[], checkpoints: number): Noise {
  const baselines = bothBaselines(rounds);
  const all = [...baselines, ...rounds.flatMap(({ samples }) => [...samples.values()])];
  const figure = <T>(items: readonly T[], read: (item: T) => number): Spread => {
    const { median: middle, min, max } = spreadOf(items.map(read));
    return { median: rounded(middle), min: rounded(min), max: rounded(max) };
  };
  return {
    baselineRate: figure(baselines, ({ rate }) => rate),
    baselineDrift: figure(rounds, ({ baselines: [first, last] }) => last.rate / first.rate),
    baselineCpuMs: figure(baselines, ({ cpuMs }) => cpuMs),
    spinCpuMs: figure(rounds, ({ probe }) => probe.spinCpuMs),
    spinMs: figure(rounds, ({ probe }) => probe.spinMs),
    syncMs: figure(rounds, ({ probe }) => probe.syncMs),
    others: figure(all, ({ others }) => others),
    stolen: figure(all, ({ stolen }) => stolen),
    checkpoints,
  };
}
