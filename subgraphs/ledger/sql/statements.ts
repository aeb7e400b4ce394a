import type { DatabaseRow, Parameter, Query, TenantReader } from "../../database/tenant-reader.ts";
import type { Currency } from "../../kernel/currency.ts";
import { homeOf, idFromUuid, type MerchantId, type TransferId, uuidOf } from "../../kernel/ids.ts";
import { type Money, moneyOf } from "../../kernel/money.ts";
import { err, ok, type Result } from "../../kernel/result.ts";
import type { JournalCause } from "../commit.ts";
import type { TransferKind } from "../transfer.ts";
import {
  type AccountCodeName,
  type BalanceRecord,
  balanceFrom,
  causeFrom,
  codeAndName,
  currencyFrom,
  kindFrom,
  storedCode,
} from "./rows.ts";

/** What statements are read by, scoped to a merchant: its accounts, their lines, and balances as of an instant. */
export interface StatementReads {
  account(merchant: MerchantId, name: AccountCodeName, currency: Currency): Promise<AccountRecord | null>;
  /** Of all accounts of the merchant, or of one; those that were not used by then are zero. */
  balancesAt(
    merchant: MerchantId,
    at: Date,
    account: AccountRecord | null,
  ): Promise<Result<BalanceRecord[], NotProjected>>;
  page(merchant: MerchantId, account: AccountRecord, page: StatementPageRequest): Promise<StatementPage>;
  /** Lines of every instant up to this one are written. */
  projectedThrough(merchant: MerchantId): Promise<Date>;
}

/** The instant is later than what statements are complete through. */
export type NotProjected = { readonly code: "NOT_PROJECTED"; readonly projectedThrough: Date };

export type AccountRecord = AccountCodeName & {
  /** Within its shard. */
  readonly id: bigint;
  readonly currency: Currency;
  readonly normalSide: "debit" | "credit";
  readonly now: BalanceRecord;
};

export type StatementPageRequest = {
  readonly limit: number;
  /** Position in the shard, next to which the page lies; null: at the end that `direction` comes from. */
  readonly cursor: bigint | null;
  readonly direction: "older" | "newer";
  /** From this instant on. */
  readonly from: Date | null;
  /** Before this instant. */
  readonly to: Date | null;
};

export type StatementPage = {
  /** At most `limit`, next to the cursor first. */
  readonly lines: readonly LineRecord[];
  /** Whether there are further ones in the page's direction. */
  readonly more: boolean;
  /** Whether there are any on the cursor's other side. */
  readonly before: boolean;
  readonly projectedThrough: Date;
};

export type LineRecord = {
  readonly seq: bigint;
  readonly transfer: TransferId;
  readonly kind: TransferKind;
  readonly cause: JournalCause;
  readonly at: Date;
  readonly side: "debit" | "credit";
  readonly amount: Money;
  /** After it. */
  readonly balance: BalanceRecord;
};

export function createStatementReads(reader: TenantReader): StatementReads {
  return {
    async account(merchant, name, currency) {
      const [rows] = await reader.read(merchant, {
        text: `select a.id, a.code, a.currency, a.normal_side,
                      b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
               from ledger.account a
               join ledger.balance b on b.shard = a.shard and b.id = a.id
               where a.shard = $1 and a.book = $2 and a.code = $3 and a.currency = $4`,
        parameters: [homeOf(merchant).shard, uuidOf(merchant), storedCode(name), currency],
      });
      const row = rows?.[0];
      return row === undefined ? null : accountFrom(row);
    },
    async balancesAt(merchant, at, account) {
      const [through, rows] = await reader.read(
        merchant,
        projectedThrough(merchant),
        balancesAt(merchant, at, account),
      );
      const until = throughFrom(through);
      if (at > until) return err({ code: "NOT_PROJECTED", projectedThrough: until });
      return ok((rows ?? []).map(balanceFrom));
    },
    async page(merchant, account, request) {
      const [through, rows, before] = await reader.read(
        merchant,
        projectedThrough(merchant),
        linesNextTo(merchant, account, request),
        anyBehind(merchant, account, request),
      );
      const lines = (rows ?? []).map((row) => lineFrom(row, account));
      return {
        lines: lines.slice(0, request.limit),
        more: lines.length > request.limit,
        before: before?.[0]?.["any"] === true,
        projectedThrough: throughFrom(through),
      };
    },
    async projectedThrough(merchant) {
      const [rows] = await reader.read(merchant, projectedThrough(merchant));
      return throughFrom(rows);
    },
  };
}

const projectedThrough = (merchant: MerchantId): Query => ({
  text: "select ledger.projected_through($1) as through",
  parameters: [homeOf(merchant).shard],
});
const throughFrom = (rows: DatabaseRow[] | undefined): Date => rows?.[0]?.["through"] as Date;

/** One look-up in the primary key for each account: its last line that is not after the instant. */
function balancesAt(merchant: MerchantId, at: Date, account: AccountRecord | null): Query {
  const parameters: Parameter[] = [homeOf(merchant).shard, uuidOf(merchant), at];
  const only = account === null ? "" : ` and a.id = $${parameters.push(account.id)}`;
  return {
    text: `select a.code, a.currency, a.normal_side,
                  l.debits_posted, l.credits_posted, l.debits_pending, l.credits_pending
           from (select ledger.seq_at($1, $3) as seq offset 0) until
           join ledger.account a on a.shard = $1 and a.book = $2${only}
           left join lateral (
             select * from ledger.statement_line l
             where l.shard = $1 and l.account = a.id and l.seq <= until.seq order by l.seq desc limit 1
           ) l on true
           order by a.code, a.currency`,
    parameters,
  };
}

/** The page's bounds in positions of the shard, both inclusive; a cursor's own line is not in its page. */
function bounds({ cursor, direction, from, to }: StatementPageRequest, parameters: Parameter[]) {
  const lower = [];
  const upper = [];
  if (from !== null) lower.push(`ledger.seq_at($1, $${parameters.push(justBefore(from))}) + 1`);
  if (to !== null) upper.push(`ledger.seq_at($1, $${parameters.push(justBefore(to))})`);
  const next = cursor === null ? null : `$${parameters.push(cursor)}::bigint`;
  return { lower, upper, next, direction };
}

/** Batches have whole milliseconds. */
const justBefore = (at: Date): Date => new Date(at.getTime() - 1);

/** One line more than asked, which tells whether there is more. */
function linesNextTo(merchant: MerchantId, account: AccountRecord, request: StatementPageRequest): Query {
  const parameters: Parameter[] = [homeOf(merchant).shard, account.id, request.limit + 1];
  const { lower, upper, next, direction } = bounds(request, parameters);
  if (next !== null)
    (direction === "older" ? upper : lower).push(direction === "older" ? `${next} - 1` : `${next} + 1`);
  const order = direction === "older" ? "desc" : "asc";
  return {
    text: `select seq, transfer, kind, cause, at, amount, debits_posted, credits_posted, debits_pending, credits_pending
           from ledger.statement_line
           where shard = $1 and account = $2${between(lower, upper)} order by seq ${order} limit $3`,
    parameters,
  };
}

/** Whether the period has lines on the other side of the cursor, or on the cursor itself. */
function anyBehind(merchant: MerchantId, account: AccountRecord, request: StatementPageRequest): Query {
  const parameters: Parameter[] = [homeOf(merchant).shard, account.id];
  const { lower, upper, next, direction } = bounds(request, parameters);
  if (next === null) return { text: "select false as any", parameters: [] };
  (direction === "older" ? lower : upper).push(next);
  return {
    text: `select exists (
             select from ledger.statement_line where shard = $1 and account = $2${between(lower, upper)}) as any`,
    parameters,
  };
}

/** Bounds are worked out once, before the lines are looked up: a subquery each. */
function between(lower: readonly string[], upper: readonly string[]): string {
  const from = lower.length === 0 ? "" : ` and seq >= (select greatest(${lower.join(", ")}))`;
  const until = upper.length === 0 ? "" : ` and seq <= (select least(${upper.join(", ")}))`;
  return from + until;
}

function accountFrom(row: DatabaseRow): AccountRecord {
  return {
    ...codeAndName(row["code"] as string),
    id: row["id"] as bigint,
    currency: currencyFrom(row["currency"]),
    normalSide: row["normal_side"] as "debit" | "credit",
    now: balanceFrom(row),
  };
}

function lineFrom(row: DatabaseRow, { code, name, currency, normalSide }: AccountRecord): LineRecord {
  const amount = row["amount"] as bigint;
  const account = { code: storedCode({ code, name }), currency, normal_side: normalSide };
  return {
    seq: row["seq"] as bigint,
    transfer: idFromUuid("trf", row["transfer"] as string),
    kind: kindFrom(row["kind"]),
    cause: causeFrom(row["cause"]),
    at: row["at"] as Date,
    side: amount > 0n ? "debit" : "credit",
    amount: moneyOf(amount > 0n ? amount : -amount, currency),
    balance: balanceFrom({ ...row, ...account }),
  };
}
