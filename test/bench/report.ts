import type { Counts } from "./counting.ts";
import type { Machine } from "./machine.ts";
import { sampleIn } from "./round-samples.ts";
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
  /** Each round's value, in order, and what others took of the machine meanwhile. */
  readonly values: readonly number[];
  readonly othersInRound: readonly number[];
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

/** The baseline's driver against pgbench, where that is installed. */
export type Pgbench = {
  readonly rate: Spread;
  /** Our driver's rate over pgbench's, of each round: what Node's driver costs in the client. */
  readonly rateRatio: Spread;
  /** Postgres's CPU per transaction, likewise: near 1, or it is not the same transaction. */
  readonly cpuRatio: Spread;
};

export type Report = {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly baseline: string;
  readonly noise: Noise;
  readonly pgbench: Pgbench | null;
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
    const samples = rounds.map((round) => sampleIn(round, row.name, baseline.name));
    reported.push(
      measuredRow(
        findings,
        against,
        row,
        samples.map(({ rate }) => rate),
        samples,
      ),
    );
    for (const one of derived)
      if (one.from.at(-1) === row.name) reported.push(derivedRow(one, rounds, baseline.name));
  }
  return reported;
}

type Baselines = { readonly rates: readonly number[]; readonly cpu: readonly number[] };

const bothBaselines = (rounds: readonly Round[]) => rounds.flatMap(({ baselines }) => baselines);

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
    roundTrips: typeof counted?.roundTrips === "number" ? rounded(counted.roundTrips) : null,
    roundTripsBy: counted?.roundTripsBy ?? {},
    longestStatements: counted?.longest ?? [],
    failures: sumOf(Object.fromEntries(samples.map(({ failures }, at) => [String(at), failures]))),
    others: rounded(over(samples, ({ others }) => others)),
    extras: mediansByKey(samples.map(({ extras }) => extras)),
    values: values.map((one) => rounded(one)),
    othersInRound: samples.map(({ others }) => rounded(others, 2)),
  };
}

/** What only measured rows have. */
const NOT_MEASURED = {
  baseline: null,
  ratio: null,
  ratioMin: null,
  ratioMax: null,
  cpuRatio: null,
  cpuRatioMin: null,
  cpuRatioMax: null,
  p50Ms: null,
  p99Ms: null,
  p99MaxMs: null,
  cpuMs: null,
  cpuByProcess: {},
  walBytes: null,
  walSyncs: null,
  fullPages: null,
  statements: null,
  statementsInside: null,
  roundTrips: null,
  roundTripsBy: {},
  longestStatements: [],
  failures: 0,
  others: null,
  extras: {},
} as const;

function derivedRow(
  { name, unit, from, derive }: DerivedRow,
  rounds: readonly Round[],
  baseline: string,
): ReportRow {
  const sources = rounds.map((round) => from.map((source) => sampleIn(round, source, baseline)));
  const values = sources.map((samples) => derive(...samples));
  const { median: value, min, max } = roundedSpread(values);
  return {
    ...NOT_MEASURED,
    name,
    value,
    unit,
    min,
    max,
    values: values.map((one) => rounded(one)),
    othersInRound: sources.map((samples) => rounded(Math.max(...samples.map(({ others }) => others)), 2)),
  };
}

function mediansByKey(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const keys = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries(
    [...keys].map((key) => [key, rounded(over(records, (record) => record[key] ?? 0))]),
  );
}

export function pgbenchOf(rounds: readonly Round[]): Pgbench | null {
  const runs = rounds.flatMap(({ baselines: [, ours], pgbench }) =>
    pgbench === null ? [] : [{ ours, theirs: pgbench }],
  );
  if (runs.length === 0) return null;
  return {
    rate: roundedSpread(runs.map(({ theirs }) => theirs.rate)),
    rateRatio: roundedSpread(runs.map(({ ours, theirs }) => ours.rate / theirs.rate)),
    cpuRatio: roundedSpread(runs.map(({ ours, theirs }) => ours.cpuMs / theirs.postgresCpuMs)),
  };
}

function roundedSpread(values: readonly number[]): Spread {
  const { median: middle, min, max } = spreadOf(values);
  return { median: rounded(middle), min: rounded(min), max: rounded(max) };
}

export function noiseOf(rounds: readonly Round[], checkpoints: number): Noise {
  const baselines = bothBaselines(rounds);
  const all = [...baselines, ...rounds.flatMap(({ samples }) => [...samples.values()])];
  const figure = <T>(items: readonly T[], read: (item: T) => number) => roundedSpread(items.map(read));
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
