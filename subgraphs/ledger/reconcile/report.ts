import type { Fragment, TransactionSql } from "postgres";
import type { Scope } from "./scope.ts";

/** What reconciliation compares; each says in words what it has proven when it finds nothing. */
export const CHECKS = {
  journals: "every journal's entries sum to zero in each currency, between accounts of that currency",
  balances: "kept balances are what the transfers give",
  statements: "statements end where the transfers do",
  pending: "what is pending is what the parts of pending transfers have left",
  payments:
    "payments' states and amounts are what their transfers say, open authorizations and refunds in flight too",
  refunds: "a refund in flight holds its amount, and one that has ended holds nothing",
  events: "every journal that must has announced its amounts, and nothing else is announced",
  references: "journals and events are of payments that exist",
} as const;
export type CheckName = keyof typeof CHECKS;

/** One thing that should agree with another and does not. `subject` is the id, or the UUID, of what is named. */
export type Difference = {
  readonly check: CheckName;
  readonly shard: number;
  readonly subject: string;
  readonly message: string;
};

/** What a check found: it looked at so many rows, and names some of those that are wrong. */
export type Finding = {
  readonly check: CheckName;
  readonly examined: number;
  /** The true number, whether or not all are listed. */
  readonly wrong: number;
  readonly differences: readonly Difference[];
};

/** A row that is wrong, as the check's query tells it. */
export type WrongRow = {
  readonly check: CheckName;
  readonly shard: number;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** A part of reconciliation: a query, and how to put in words what it finds. */
export type Check = {
  readonly names: readonly CheckName[];
  /** Gives rows of (check, wrong, shard, subject, detail); `wrong` is never null. */
  readonly judged: (sql: TransactionSql, scope: Scope) => Fragment;
  /** The subject as the API names it, and what is wrong with it. */
  readonly describe: (row: WrongRow) => { readonly subject: string; readonly message: string };
};

/** Listed by one run of one check; more are counted. */
const LISTED = 100;

type ReportRow = {
  readonly check: CheckName;
  readonly examined: bigint;
  readonly wrong: bigint;
  readonly listed: readonly WrongRow[] | null;
};

/** Runs a check; counts all that it looks at, in one pass, and keeps only what is listed. */
export async function runCheck(sql: TransactionSql, scope: Scope, check: Check): Promise<Finding[]> {
  const rows = await sql<ReportRow[]>`
    select check_name as check, count(*) as examined, count(*) filter (where wrong) as wrong,
           json_agg(json_build_object('check', check_name, 'shard', shard, 'subject', subject, 'detail', detail))
             filter (where wrong and nth <= ${LISTED}) as listed
    from (
      select j.*, count(*) filter (where wrong) over (rows unbounded preceding) as nth
      from (${check.judged(sql, scope)}) j
    ) n
    group by check_name`;
  return check.names.map((name) => {
    const row = rows.find((found) => found.check === name);
    return {
      check: name,
      examined: Number(row?.examined ?? 0n),
      wrong: Number(row?.wrong ?? 0n),
      differences: (row?.listed ?? []).map((wrong) => ({
        check: name,
        shard: wrong.shard,
        ...check.describe(wrong),
      })),
    };
  });
}
