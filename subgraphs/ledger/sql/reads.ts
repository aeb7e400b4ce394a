import type { DatabaseRow, TenantReader } from "../../database/tenant-reader.ts";
import {
  homeOf,
  idFromUuid,
  type JournalId,
  type MerchantId,
  type PaymentId,
  type TransferId,
  uuidOf,
} from "../../kernel/ids.ts";
import { type Money, moneyOf } from "../../kernel/money.ts";
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
} from "./rows.ts";

/** What the books are read by, scoped to a merchant. */
export interface LedgerReads {
  /** Journals by payment, each payment's in order. */
  journals(merchant: MerchantId, payments: readonly PaymentId[]): Promise<Map<PaymentId, JournalRecord[]>>;
  /** As they are kept now, by account and currency. */
  balances(merchant: MerchantId): Promise<BalanceRecord[]>;
}

export type JournalRecord = {
  readonly id: JournalId;
  readonly cause: JournalCause;
  readonly createdAt: Date;
  readonly transfers: readonly TransferRecord[];
};

export type TransferRecord = {
  readonly id: TransferId;
  readonly kind: TransferKind;
  readonly amount: Money;
  readonly debit: AccountName;
  readonly credit: AccountName;
  readonly pending: TransferId | null;
};

export type AccountName = AccountCodeName & { readonly book: "merchant" | "operator" };

export function createLedgerReads(reader: TenantReader): LedgerReads {
  return {
    async journals(merchant, payments) {
      const [rows] = await reader.read(merchant, {
        // A commit's transfers are those between its id and the last that it can have. Both bounds are columns, and
        // "offset 0" keeps them so: under row security a function of one could not be looked up in the primary key.
        text: `select j.payment, j.commit, t.id, t.kind, t.cause, t.amount, t.currency, t.pending, t.at,
                      d.code as debit_code, d.operator as debit_operator,
                      c.code as credit_code, c.operator as credit_operator
               from (
                 select payment, commit, ledger.transfer_id(commit, 255) as last
                 from ledger.payment_journal
                 where shard = $1 and merchant = $2 and payment = any ($3::text::uuid[]) offset 0
               ) j
               cross join lateral (
                 select * from ledger.transfer where shard = $1 and id > j.commit and id <= j.last offset 0
               ) t
               cross join lateral ledger.account_names($1, array[t.debit]) d
               cross join lateral ledger.account_names($1, array[t.credit]) c
               order by t.id`,
        parameters: [homeOf(merchant).shard, uuidOf(merchant), `{${payments.map(uuidOf).join(",")}}`],
      });
      return byPayment(rows ?? []);
    },
    async balances(merchant) {
      const [rows] = await reader.read(merchant, {
        text: `select a.code, a.currency, a.normal_side,
                      b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
               from ledger.account a
               join ledger.balance b on b.shard = a.shard and b.id = a.id
               where a.shard = $1 and a.book = $2 order by a.code, a.currency`,
        parameters: [homeOf(merchant).shard, uuidOf(merchant)],
      });
      return (rows ?? []).map(balanceFrom);
    },
  };
}

function byPayment(rows: readonly DatabaseRow[]): Map<PaymentId, JournalRecord[]> {
  const found = new Map<PaymentId, JournalRecord[]>();
  for (const [commit, transfers] of Map.groupBy(rows, (row) => row["commit"] as string)) {
    const [first] = transfers as [DatabaseRow];
    const payment = idFromUuid("pay", first["payment"] as string);
    const record: JournalRecord = {
      id: idFromUuid("jrn", commit),
      cause: causeFrom(first["cause"]),
      createdAt: first["at"] as Date,
      transfers: transfers.map(transferFrom),
    };
    found.set(payment, [...(found.get(payment) ?? []), record]);
  }
  return found;
}

function transferFrom(row: DatabaseRow): TransferRecord {
  const side = (name: "debit" | "credit"): AccountName => ({
    ...codeAndName(row[`${name}_code`] as string),
    book: row[`${name}_operator`] === true ? "operator" : "merchant",
  });
  return {
    id: idFromUuid("trf", row["id"] as string),
    kind: kindFrom(row["kind"]),
    amount: moneyOf(row["amount"] as bigint, currencyFrom(row["currency"])),
    debit: side("debit"),
    credit: side("credit"),
    pending: row["pending"] === null ? null : idFromUuid("trf", row["pending"] as string),
  };
}
