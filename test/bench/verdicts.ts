import { figure, percent } from "./figures.ts";
import type { ReportRow } from "./report.ts";

/** What the ledger has to reach (docs/benchmarks.md), as bounds on the medians of ratios that are made in each round. */
type Requirement = {
  readonly row: string;
  readonly what: string;
  readonly must: { readonly atLeast: number } | { readonly atMost: number };
  readonly goal: number;
};

export const REQUIREMENTS: readonly Requirement[] = [
  {
    row: "ledger.post.uniform.rate_x",
    what: "posting over many accounts, rate over TPC-B's",
    must: { atLeast: 9 },
    goal: 15,
  },
  {
    row: "ledger.post.uniform.touched",
    what: "accounts that it touched in an interval",
    must: { atLeast: 100_000 },
    goal: 100_000,
  },
  {
    row: "ledger.post.hot.rate_x",
    what: "posting to one hot account a shard, rate over TPC-B's",
    must: { atLeast: 12 },
    goal: 25,
  },
  {
    row: "ledger.post.uniform.postgres_x",
    what: "Postgres's CPU a transfer, over many accounts, over TPC-B's a transaction",
    must: { atMost: 0.1 },
    goal: 0.05,
  },
  {
    row: "ledger.post.hot.postgres_x",
    what: "Postgres's CPU a transfer, hot account, over TPC-B's a transaction",
    must: { atMost: 0.08 },
    goal: 0.03,
  },
  {
    row: "ledger.post.uniform.wal",
    what: "log a transfer",
    must: { atMost: 500 },
    goal: 300,
  },
  {
    row: "ledger.post.twophase.postgres_over_uniform",
    what: "Postgres's CPU, two-phase over single-phase",
    must: { atMost: 1.5 },
    goal: 1.2,
  },
  {
    row: "payment.db.batched.postgres_gain",
    what: "Postgres's CPU a payment, by round trips over batched",
    must: { atLeast: 15 },
    goal: 30,
  },
  {
    row: "ledger.post.failing.rate_over_uniform",
    what: "rate with 1 % refused commits, over that with none",
    must: { atLeast: 0.5 },
    goal: 0.9,
  },
  {
    row: "ledger.post.at10m.postgres_over_1m",
    what: "Postgres's CPU at 10 M transfers over 1 M",
    must: { atMost: 1.1 },
    goal: 1.05,
  },
  {
    row: "ledger.post.single.p50_over_insert",
    what: "a lone commit's latency over a durable INSERT's",
    must: { atMost: 1.3 },
    goal: 1,
  },
];

/** Fewer tell little. */
const ENOUGH_ROUNDS = 5;

/** What p99 through the edge at 16 clients has to stay below, without the provider's own time. */
const AWAITED = "payment.edge.c16.p99_less_provider";
const AWAITED_BELOW_MS = 200;

/** For every requirement whose row was measured, whether it holds, with the figures; then what failed. */
export function verdicts(rows: readonly ReportRow[]): string[] {
  const found = new Map(rows.map((row) => [row.name, row]));
  const awaited = found.get(AWAITED);
  return [
    ...REQUIREMENTS.flatMap((requirement) => {
      const row = found.get(requirement.row);
      return row === undefined ? [] : [verdictOn(requirement, row)];
    }),
    ...(awaited === undefined ? [] : [awaitedVerdict(awaited)]),
    ...rows
      .filter(({ failures }) => failures > 0)
      .map(({ name, failures }) => `${name}: ${failures} units FAILED; its figures are of the others`),
  ];
}

const holdsWord = (holds: boolean) => (holds ? "holds" : "DOES NOT HOLD");

function verdictOn({ row: name, what, must, goal }: Requirement, row: ReportRow): string {
  const { value, unit, min, max, values } = row;
  const most = "atMost" in must;
  const bound = most ? must.atMost : must.atLeast;
  const reaches = (limit: number) => (most ? value <= limit : value >= limit);
  const few = values.length < ENOUGH_ROUNDS ? `, of only ${values.length} rounds` : "";
  const goalWord = reaches(goal) ? "reached" : "not yet";
  return `${name}: ${what}: ${figure(value)} ${unit} (${figure(min)}..${figure(max)})${few}; required: at ${most ? "most" : "least"} ${figure(bound)}: ${holdsWord(reaches(bound))} (goal ${figure(goal)}: ${goalWord})`;
}

/** Neighbours add to a p99 and never take away: the round with the least of them tells the most. */
function awaitedVerdict({ name, value, min, max, values, othersInRound }: ReportRow): string {
  const quietest = othersInRound.indexOf(Math.min(...othersInRound));
  const inQuietest = values[quietest] ?? value;
  const found = `${figure(value)} ms (${figure(min)}..${figure(max)}), ${figure(inQuietest)} ms in the quietest round, when others took ${percent(othersInRound[quietest] ?? 0)} of the machine`;
  return `${name}: ${found}; required: below ${AWAITED_BELOW_MS} ms: ${holdsWord(inQuietest < AWAITED_BELOW_MS)}`;
}
