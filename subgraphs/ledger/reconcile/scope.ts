import type { Fragment, TransactionSql } from "postgres";
import { err, ok, type Result } from "../../kernel/result.ts";
import type { NotProjected } from "../sql/statements.ts";

/** What is reconciled: `from` on, before `to`; all shards or some, of all merchants or one (its UUID). */
export type Period = {
  readonly from: Date;
  readonly to: Date;
  readonly shards?: readonly number[];
  readonly merchant?: string;
};

/** The period as positions in each shard, as the transaction's snapshot has them. */
export type Scope = {
  readonly from: Date;
  readonly to: Date;
  readonly merchant: string | null;
  readonly cuts: readonly Cut[];
  /** No transfer after any `low` was made before this instant. */
  readonly since: Date;
};

type Cut = {
  readonly shard: number;
  /** The last transfer before the period. */
  readonly low: bigint;
  /** The last transfer of the period. */
  readonly high: bigint;
  /** The period goes on: nothing was posted after it, so that kept balances are its end. */
  readonly live: boolean;
  /** Statements go as far as the period. */
  readonly projected: boolean;
};

type CutRow = Cut & { readonly projected_at: Date; readonly behind: boolean };

/** @returns NOT_PROJECTED if the period has ended, and statements do not go as far yet */
export async function readScope(
  sql: TransactionSql,
  { from, to, shards, merchant }: Period,
): Promise<Result<Scope, NotProjected>> {
  const only = shards === undefined ? sql`true` : sql`c.shard = any (${array(shards)}::text::smallint[])`;
  const rows = await sql<CutRow[]>`
    select c.shard, ledger.seq_at(c.shard, ${before(from)}) as low,
           case when c.at < ${to} then c.seq else ledger.seq_at(c.shard, ${before(to)}) end as high,
           c.at < ${to} as live, (p.batch = c.batch or (c.at >= ${to} and p.at >= ${to})) as projected,
           p.at as projected_at, p.batch < c.batch as behind
    from ledger.chain c join ledger.projection p on p.shard = c.shard
    where ${only} order by c.shard`;
  const late = rows.find(({ live, projected }) => !live && !projected);
  if (late !== undefined) return err({ code: "NOT_PROJECTED", projectedThrough: before(late.projected_at) });
  // Where projection is behind, `low` may be before the period.
  const reached = rows.filter(({ behind }) => behind).map(({ projected_at }) => projected_at.getTime());
  const since = new Date(Math.min(from.getTime(), ...reached));
  return ok({ from, to, merchant: merchant ?? null, cuts: rows, since });
}

/** Batches have whole milliseconds. */
const before = (at: Date): Date => new Date(at.getTime() - 1);

export const array = (values: readonly unknown[]): string => `{${values.join(",")}}`;

/** `cut (shard, low, high, live, projected)`, for a WITH. */
export function cutOf(sql: TransactionSql, { cuts }: Scope): Fragment {
  const column = (name: keyof Cut) => array(cuts.map((cut) => cut[name]));
  return sql`cut as (
    select * from unnest(
      ${column("shard")}::text::smallint[], ${column("low")}::text::bigint[], ${column("high")}::text::bigint[],
      ${column("live")}::text::boolean[], ${column("projected")}::text::boolean[]
    ) as cut (shard, low, high, live, projected))`;
}

/**
 * `moved`, for a WITH after `cut`: transfers from the period's start to now, `inside` saying which are of the period. All
 * of them by their time; a merchant's by its statements, and what is not in them yet by its time.
 */
export function movedIn(sql: TransactionSql, { merchant, since }: Scope): Fragment {
  if (merchant === null)
    return sql`moved as (
      select t.shard, t.seq, t.id, t.kind, t.cause, t.debit, t.credit, t.amount, t.currency, t.pending,
             t.seq <= cut.high as inside
      from cut
      join ledger.transfer t on t.shard = cut.shard and t.seq > cut.low
      where t.at >= ${since})`;
  return sql`moved as (
    select t.shard, t.seq, t.id, t.kind, t.cause, t.debit, t.credit, t.amount, t.currency, t.pending,
           t.seq <= cut.high as inside
    from cut
    join ledger.account a on a.shard = cut.shard and a.book = ${merchant}
    join ledger.statement_line l on l.shard = a.shard and l.account = a.id and l.seq > cut.low
    join ledger.transfer t on t.shard = l.shard and t.id = l.transfer
    union
    select t.shard, t.seq, t.id, t.kind, t.cause, t.debit, t.credit, t.amount, t.currency, t.pending,
           t.seq <= cut.high
    from cut
    join ledger.projection p on p.shard = cut.shard
    join ledger.transfer t on t.at >= p.at and t.shard = p.shard and t.seq > p.seq
    where exists (
      select from ledger.account a
      where a.shard = t.shard and a.id in (t.debit, t.credit) and a.book = ${merchant}))`;
}

/** Of a table that has one: the rows of the merchant, or all. */
export const ofMerchant = (sql: TransactionSql, column: Fragment, { merchant }: Scope): Fragment =>
  merchant === null ? sql`true` : sql`${column} = ${merchant}`;

/**
 * Payments that have changed in the period, and maybe after it: `payment`, for a WITH after `cut`. What they posted is
 * compared as a whole.
 */
export const paymentsOf = (sql: TransactionSql, scope: Scope): Fragment => sql`payment as (
  select p.* from cut join payments.payment p on p.shard = cut.shard and ${ofMerchant(sql, sql`p.merchant`, scope)}
  where p.created_at < ${scope.to} and p.updated_at >= ${scope.from})`;

/** The least UUIDv7 of an instant: ids are in order of time. */
export function leastUuid(at: Date): string {
  const hex = Math.max(at.getTime(), 0).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
