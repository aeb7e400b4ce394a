import { figure, percent } from "./figures.ts";
import type { Noise, Report, ReportRow } from "./report.ts";
import { relativeSpread, type Spread } from "./statistics.ts";
import { verdicts } from "./verdicts.ts";

/** The report for people. */
const columns: readonly (readonly [title: string, cell: (row: ReportRow) => string])[] = [
  ["row", ({ name }) => name],
  ["value", ({ value, unit }) => `${figure(value)}${unit.endsWith("/s") ? "/s" : ` ${unit}`}`],
  ["min..max", ({ min, max }) => `${figure(min)}..${figure(max)}`],
  ["p50 ms", ({ p50Ms }) => figure(p50Ms)],
  ["p99 ms", ({ p99Ms }) => figure(p99Ms)],
  ["CPU ms", ({ cpuMs }) => figure(cpuMs)],
  ["by process", ({ cpuByProcess }) => processes(cpuByProcess)],
  ["stmts", ({ statements }) => figure(statements)],
  ["trips", ({ roundTrips }) => figure(roundTrips)],
  ["WAL B", ({ walBytes }) => (walBytes === null ? "-" : walBytes.toFixed(0))],
  ["syncs", ({ walSyncs }) => figure(walSyncs, 2)],
  ["rate x", ({ ratio, ratioMin, ratioMax }) => ratioCell(ratio, ratioMin, ratioMax)],
  ["CPU x", ({ cpuRatio, cpuRatioMin, cpuRatioMax }) => ratioCell(cpuRatio, cpuRatioMin, cpuRatioMax)],
];

const processes = (cpu: Readonly<Record<string, number>>) =>
  Object.entries(cpu)
    .map(([name, ms]) => `${name} ${figure(ms, 2)}`)
    .join(", ") || "-";

const ratioCell = (value: number | null, min: number | null, max: number | null) =>
  value === null ? "-" : `${figure(value)} (${figure(min, 2)}..${figure(max, 2)})`;

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

const range = ({ median, min, max }: Spread, unit: string) =>
  `${figure(median)} ${unit} (${figure(min)}..${figure(max)})`;

function noiseLines(noise: Noise, baseline: string): string[] {
  const { baselineRate, baselineDrift, baselineCpuMs, spinCpuMs, spinMs, syncMs, others, stolen } = noise;
  const spread = relativeSpread(baselineRate);
  return [
    `  ${baseline}: ${range(baselineRate, "/s")}, spread ${percent(spread)}; last over first in a round ${range(baselineDrift, "x")}`,
    `  its Postgres CPU: ${range(baselineCpuMs, "ms")}, spread ${percent(relativeSpread(baselineCpuMs))}`,
    `  a fixed computation: ${range(spinCpuMs, "ms of CPU")}, ${range(spinMs, "ms by the clock")}`,
    `  making 8 kB durable: ${range(syncMs, "ms")}`,
    `  taken by other processes: ${percent(others.median)} of the machine (up to ${percent(others.max)}); by its host: ${percent(stolen.median)} (up to ${percent(stolen.max)})`,
    ...(noise.checkpoints === 0
      ? []
      : [`  ${noise.checkpoints} checkpoints fell into the rounds: WAL bytes hold whole pages`]),
  ];
}

const pgbenchLine = ({ pgbench, baseline }: Report) =>
  pgbench === null
    ? []
    : [
        `  pgbench itself: ${range(pgbench.rate, "/s")}; ${baseline}'s driver has ${range(pgbench.rateRatio, "x")} of its rate at ${range(pgbench.cpuRatio, "x")} of its Postgres CPU`,
      ];

export function renderReport(report: Report): string {
  const { machine, rows, noise, baseline } = report;
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  return [
    "",
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, Postgres ${machine.postgres}`,
    `${report.rounds} rounds of ${report.seconds} s; medians; "CPU ms" is ours per unit, without provider and driver; "x" is over ${baseline}, of each round`,
    "",
    ...table(cells),
    "",
    "The machine's noise:",
    ...noiseLines(noise, baseline),
    ...pgbenchLine(report),
    "",
    ...verdicts(rows),
  ].join("\n");
}
