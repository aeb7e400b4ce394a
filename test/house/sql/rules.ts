import { unboundTables } from "./shards.ts";
import { type Table, tablesAfter } from "./tables.ts";
import type { SqlStatement } from "./text.ts";

/** What makes one database many: rules for all SQL, so that the same schema runs on one machine and on Citus. */
export type Violation = { readonly rule: RuleName; readonly place: string; readonly what: string };

export type RuleName =
  | "shard-leads-the-key"
  | "statements-carry-shard"
  | "no-sequences"
  | "no-advisory-locks"
  | "no-notifications"
  | "no-deferrable-constraints"
  | "no-two-phase-commit"
  | "hot-tables-have-one-index";

/** The same everywhere, and nobody's: they need no shard. */
const REFERENCE: ReadonlySet<string> = new Set(["ledger.cause", "risk.bin_range", "rates.reference_rate"]);

/** Every payment writes to them. */
const HOT: ReadonlySet<string> = new Set([
  "ledger.transfer",
  "ledger.balance",
  "ledger.pending",
  "ledger.commit",
  "ledger.payment_journal",
  "ledger.chain",
  "ledger.batch",
  "payments.payment",
  "payments.operation",
  "payments.idempotency",
  "payments.outbox",
  "risk.assessment",
]);

/** @param migrations what makes the tables, in order; @param code what is sent besides */
export function violations(migrations: readonly SqlStatement[], code: readonly SqlStatement[]): Violation[] {
  const tables = tablesAfter(migrations);
  const all = [...withoutDropped(migrations), ...code];
  const sharded = new Set([...tables.keys()].filter((name) => !REFERENCE.has(name)));
  return [
    ...[...tables.values()].flatMap(tableViolations),
    ...all.flatMap(wordViolations),
    // What a migration does once with the rows that are there does it with those of all shards.
    ...all
      .filter(({ file, inside }) => inside !== null || !file.endsWith(".sql"))
      .flatMap((statement) =>
        unboundTables(statement, sharded).map(
          (what): Violation => ({ rule: "statements-carry-shard", place: placeOf(statement), what }),
        ),
      ),
  ];
}

const placeOf = ({ file, inside }: SqlStatement) => inside ?? file;

/** Without the bodies of functions that a later file drops. */
function withoutDropped(migrations: readonly SqlStatement[]): readonly SqlStatement[] {
  const droppedIn = new Map<string, string>();
  for (const { file, text } of migrations) {
    const name = /^drop function (?:if exists )?([\w.]+)/.exec(text)?.[1];
    if (name !== undefined) droppedIn.set(name, file);
  }
  return migrations.filter(({ file, inside }) => inside === null || file >= (droppedIn.get(inside) ?? ""));
}

function tableViolations({ name, columns, primaryKey, secondary, numbered }: Table): Violation[] {
  const found = numbered.map((what): Violation => ({ rule: "no-sequences", place: name, what }));
  const belongs = columns.some((column) => column === "shard" || column === "merchant");
  if (REFERENCE.has(name) ? belongs : primaryKey[0] !== "shard")
    found.push({ rule: "shard-leads-the-key", place: name, what: `primary key (${primaryKey.join(", ")})` });
  if (HOT.has(name))
    for (const index of secondary)
      found.push({ rule: "hot-tables-have-one-index", place: name, what: index });
  return found;
}

const WORDS: readonly (readonly [RuleName, RegExp])[] = [
  ["no-sequences", /\b(create|alter) sequence\b|\b(next|set)val ?\(/],
  ["no-advisory-locks", /\bpg_(try_)?advisory_/],
  ["no-notifications", /(^|\b(begin|then|else|loop) )((un)?listen|notify) |\bpg_notify ?\(/],
  ["no-deferrable-constraints", /(?<!not )\bdeferrable\b|\bset constraints\b/],
  ["no-two-phase-commit", /\bprepare transaction\b|\b(commit|rollback) prepared\b/],
];

function wordViolations(statement: SqlStatement): Violation[] {
  return WORDS.flatMap(([rule, words]) => {
    const [what] = words.exec(statement.text) ?? [];
    return what === undefined ? [] : [{ rule, place: placeOf(statement), what: what.trim() }];
  });
}
