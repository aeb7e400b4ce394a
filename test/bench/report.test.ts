import { describe, expect, it } from "vitest";
import type { Counts } from "./counting.ts";
import { noiseOf, pgbenchOf, type Report, type ReportRow, reportRows } from "./report.ts";
import type { Round } from "./rounds.ts";
import type { DerivedRow, Row, Sample } from "./row.ts";
import { rowGroups } from "./rows/index.ts";
import { renderReport } from "./table.ts";
import { REQUIREMENTS, verdicts } from "./verdicts.ts";

const row = (name: string, database: string | null = "tessera"): Row => ({
  name,
  units: "payments",
  clients: 1,
  run: async () => {},
  processes: [],
  ours: [],
  database,
});

const sample = (rate: number, cpuMs: number, rest: Partial<Sample> = {}): Sample => ({
  rate,
  units: rate,
  p50Ms: 1,
  p99Ms: 10,
  cpuByProcess: { postgres: cpuMs, driver: 1 },
  cpuMs,
  walBytes: 500,
  walSyncs: 0.5,
  fullPages: 0,
  failures: 0,
  firstFailure: null,
  extras: {},
  others: 0.02,
  stolen: 0,
  ...rest,
});

const probe = { spinCpuMs: 60, spinMs: 61, syncMs: 0.2 };
const round = (baselines: [Sample, Sample], samples: Record<string, Sample>, pgbench = 4_000): Round => ({
  baselines,
  samples: new Map(Object.entries(samples)),
  probe,
  pgbench: { rate: pgbench, postgresCpuMs: 0.25 },
});

const [baseline, edge, query] = [
  row("tpcb.c8", "bench_tpcb"),
  row("payment.edge.c16"),
  row("graph.noop", null),
];
const rounds = [
  round([sample(1_900, 0.5), sample(2_100, 0.5)], {
    "payment.edge.c16": sample(200, 10, { p99Ms: 100, extras: { providerMs: 4 }, failures: 2 }),
    "graph.noop": sample(4_000, 0.25),
  }),
  round([sample(1_000, 0.5), sample(1_000, 0.5)], {
    "payment.edge.c16": sample(120, 11, { p99Ms: 300, extras: { providerMs: 6 } }),
    "graph.noop": sample(1_000, 0.5),
  }),
  round([sample(1_500, 0.4), sample(1_500, 0.6)], {
    "payment.edge.c16": sample(165, 9, { p99Ms: 150, extras: { providerMs: 5 } }),
    "graph.noop": sample(3_000, 0.3),
  }),
];
const derived: DerivedRow = {
  name: "payment.edge.c16.p99_less_provider",
  unit: "ms",
  from: ["payment.edge.c16"],
  derive: (of) => (of?.p99Ms ?? 0) - (of?.extras["providerMs"] ?? 0),
};
const counts = new Map<string, Counts>([
  [
    "payment.edge.c16",
    {
      statements: 15,
      statementsInside: 59,
      roundTrips: 6,
      roundTripsBy: { tessera_committer: 4 },
      longest: [],
    },
  ],
]);
const rows = reportRows({ baseline, rows: [query, edge], derived: [derived], rounds, counts });
const [first, noop, payment, awaited] = rows;

it("reports the baseline, then rows in their order, each with what is derived from it", () => {
  const names = ["tpcb.c8", "graph.noop", "payment.edge.c16", "payment.edge.c16.p99_less_provider"];
  expect(rows.map(({ name }) => name)).toEqual(names);
});

it("takes the mean of a round's two baselines, and medians over rounds", () => {
  expect(first).toMatchObject({ value: 1_500, min: 1_000, max: 2_000, unit: "payments/s", ratio: null });
  expect(payment).toMatchObject({ value: 165, min: 120, max: 200, baseline: 1_500, cpuMs: 10, p99Ms: 150 });
});

it("holds each round against its own baseline", () => {
  expect(payment).toMatchObject({ ratio: 0.11, ratioMin: 0.1, ratioMax: 0.12 });
  expect(payment).toMatchObject({ cpuRatio: 20, cpuRatioMin: 18, cpuRatioMax: 22 });
});

it("has what the issue asks of every row's JSON", () => {
  const asked = [
    "name",
    "value",
    "unit",
    "baseline",
    "ratio",
    "p50Ms",
    "p99Ms",
    "cpuMs",
    "walBytes",
    "statements",
  ];
  const read = JSON.parse(JSON.stringify(rows)) as Record<string, unknown>[];
  for (const one of read) expect(Object.keys(one)).toEqual(expect.arrayContaining(asked));
  expect(payment).toMatchObject({ statements: 15, roundTrips: 6, walBytes: 500, failures: 2 });
  expect(noop).toMatchObject({ statements: null, roundTrips: null, walBytes: null });
});

it("derives in each round, then takes the median", () => {
  expect(awaited).toMatchObject({
    value: 145,
    min: 96,
    max: 294,
    unit: "ms",
    ratio: null,
    values: [96, 294, 145],
  });
});

it("refuses a row that a round lacks", () => {
  const missing = () => reportRows({ baseline, rows: [row("graph.join.http")], derived: [], rounds, counts });
  expect(missing).toThrow("not measured in every round");
});

const report: Report = {
  startedAt: "2026-11-22T00:00:00.000Z",
  machine: { cores: 2, memoryGiB: 24, cpu: "a", kernel: "6", node: "v24", postgres: "18.4" },
  rounds: 3,
  seconds: 4,
  baseline: baseline.name,
  noise: noiseOf(rounds, 1),
  pgbench: pgbenchOf(rounds),
  rows,
};

it("tells the noise, and how the driver stands against pgbench", () => {
  expect(report.noise.baselineRate).toEqual({ median: 1_500, min: 1_000, max: 2_100 });
  expect(report.pgbench?.rateRatio).toEqual({ median: 0.375, min: 0.25, max: 0.525 });
  expect(pgbenchOf(rounds.map((one) => ({ ...one, pgbench: null })))).toBeNull();
});

it("says for people what holds, what failed and what disturbed", () => {
  const text = renderReport(report);
  expect(text).toContain("145 ms (96.0..294), 96.0 ms in the quietest round");
  expect(text).toContain("required: below 200 ms: holds");
  expect(text).toContain("payment.edge.c16: 2 units FAILED");
  expect(text).toContain("1 checkpoints fell into the rounds");
  const slow = rows.map((one) =>
    one.name === derived.name ? { ...one, values: [294, 201, 300], othersInRound: [0.3, 0.02, 0.1] } : one,
  );
  expect(renderReport({ ...report, rows: slow })).toContain("DOES NOT HOLD");
});

describe("what is derived", () => {
  it("from the baseline takes the mean of each round's two", () => {
    const over: DerivedRow = {
      name: "payment.edge.c16.rate_x",
      unit: "x",
      from: ["tpcb.c8", "payment.edge.c16"],
      derive: (tpcb, row) => (row?.rate ?? 0) / (tpcb?.rate ?? 0),
    };
    const cpu: DerivedRow = {
      ...over,
      name: "payment.edge.c16.postgres_x",
      derive: (tpcb, row) => (row?.cpuByProcess["postgres"] ?? 0) / (tpcb?.cpuByProcess["postgres"] ?? 0),
    };
    const [, , rateX, cpuX] = reportRows({ baseline, rows: [edge], derived: [over, cpu], rounds, counts });
    expect(rateX).toMatchObject({ value: 0.11, min: 0.1, max: 0.12, values: [0.1, 0.12, 0.11] });
    expect(cpuX).toMatchObject({ value: 20, values: [20, 22, 18] });
  });
});

describe("verdicts", () => {
  const derivedAs = (name: string, unit: string, values: readonly number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const [min, value, max] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    return { ...awaited, name, unit, values, min, max, value, othersInRound: values } as ReportRow;
  };

  it("are on the median, on the right side of the bound", () => {
    const [rate, cpu] = ["ledger.post.uniform.rate_x", "ledger.post.uniform.postgres_x"];
    const on = (name: string, ...values: number[]) => verdicts([derivedAs(name, "x", values)])[0];
    expect(on(rate, 8, 9, 9, 10, 30)).toContain(": holds (goal 15.0: not yet)");
    expect(on(rate, 8, 8.9, 8.9, 30, 30)).toContain(
      "8.90 x (8.00..30.0); required: at least 9.00: DOES NOT HOLD",
    );
    expect(on(rate, 15, 15, 16, 17, 18)).toContain("holds (goal 15.0: reached)");
    expect(on(cpu, 0.1, 0.1, 0.1, 0.2, 0.01)).toContain(": holds");
    expect(on(cpu, 0.11, 0.11, 0.11, 0.01, 0.01)).toContain("at most 0.100: DOES NOT HOLD");
    expect(on(rate, 9, 9, 9)).toContain("of only 3 rounds");
    expect(on(rate, 9, 9, 9, 9, 9)).not.toContain("of only");
  });

  it("are on rows that there are, and on nothing else", () => {
    const derivedNames = rowGroups.flatMap(({ derived: all = [] }) => all.map(({ name }) => name));
    for (const { row: name } of REQUIREMENTS) expect(derivedNames).toContain(name);
    expect(verdicts(rows.filter(({ failures }) => failures === 0).slice(0, 2))).toEqual([]);
  });
});
