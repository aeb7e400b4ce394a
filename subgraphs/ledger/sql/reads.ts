import type { DatabaseRow, TenantReader } from "../../database/tenant-reader.ts";
import { type Currency, isCurrency } from "../../kernel/currency.ts";
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
import { invariant } from "../../kernel/result.ts";
import type { AccountCode } from "../accounts.ts";
import type { JournalCause } from "../commit.ts";

/** What the books are read by, scoped to a merchant. */
export interface LedgerReads {
  /** Journals by payment, each payment's in order. */
  journals(merchant: MerchantId, payments: readonly PaymentId[]): Promise<Map<PaymentId, JournalRecord[]>>;
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
  readonly kind: "single" | "pending" | "post" | "release";
  readonly amount: Money;
  readonly debit: AccountName;
  readonly credit: AccountName;
  readonly pending: TransferId | null;
};

export type AccountName = { readonly code: AccountCode; readonly book: "merchant" | "operator" };

/** Minor units; `balance` is signed, on the account's normal side. */
export type BalanceRecord = {
  readonly code: AccountCode;
  readonly currency: Currency;
  readonly debitsPosted: bigint;
  readonly creditsPosted: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
  readonly balance: bigint;
};

const currencyOf = (value: unknown): Currency => {
  invariant(typeof value === "string" && isCurrency(value), "a stored currency is one of ours");
  return value;
};

export function createLedgerReads(reader: TenantReader): LedgerReads {
  return {
    async journals(merchant, payments) {
      const ids = `{${payments.map(uuidOf).join(",")}}`;
      const [journals, transfers] = await reader.read(
        merchant,
        {
          text: `select payment, id, cause, created_at from ledger.journal
                 where shard = $1 and merchant = $2 and payment = any ($3::text::uuid[]) order by id`,
          parameters: [homeOf(merchant).shard, uuidOf(merchant), ids],
        },
        {
          // "offset 0" keeps the planner from reading a merchant's every transfer to find one journal's: it takes
          // shard and merchant for independent, and so expects few.
          text: `select t.journal, t.id, t.kind, t.amount, t.currency, t.pending,
                        d.code as debit_code, d.operator as debit_operator,
                        c.code as credit_code, c.operator as credit_operator
                 from ledger.journal j
                 cross join lateral (
                   select * from ledger.transfer where shard = $1 and journal = j.id offset 0
                 ) t
                 cross join lateral ledger.account_names($1, array[t.debit]) d
                 cross join lateral ledger.account_names($1, array[t.credit]) c
                 where j.shard = $1 and j.merchant = $2 and j.payment = any ($3::text::uuid[])
                 order by t.journal, t.ordinal`,
          parameters: [homeOf(merchant).shard, uuidOf(merchant), ids],
        },
      );
      return byPayment(journals ?? [], transfers ?? []);
    },
    async balances(merchant) {
      const [rows] = await reader.read(merchant, {
        text: `select code, currency, normal_side, debits_posted, credits_posted, debits_pending, credits_pending
               from ledger.account where shard = $1 and book = $2 order by code, currency`,
        parameters: [homeOf(merchant).shard, uuidOf(merchant)],
      });
      return (rows ?? []).map(balanceFrom);
    },
  };
}

function byPayment(journals: readonly DatabaseRow[], transfers: readonly DatabaseRow[]) {
  const transfersOf = Map.groupBy(transfers, (row) => row["journal"]);
  const found = new Map<PaymentId, JournalRecord[]>();
  for (const row of journals) {
    const payment = idFromUuid("pay", row["payment"] as string);
    const record: JournalRecord = {
      id: idFromUuid("jrn", row["id"] as string),
      cause: row["cause"] as JournalCause,
      createdAt: row["created_at"] as Date,
      transfers: (transfersOf.get(row["id"]) ?? []).map(transferFrom),
    };
    found.set(payment, [...(found.get(payment) ?? []), record]);
  }
  return found;
}

function transferFrom(row: DatabaseRow): TransferRecord {
  const side = (name: "debit" | "credit"): AccountName => ({
    code: row[`${name}_code`] as AccountCode,
    book: row[`${name}_operator`] === true ? "operator" : "merchant",
  });
  return {
    id: idFromUuid("trf", row["id"] as string),
    kind: row["kind"] as TransferRecord["kind"],
    amount: moneyOf(row["amount"] as bigint, currencyOf(row["currency"])),
    debit: side("debit"),
    credit: side("credit"),
    pending: row["pending"] === null ? null : idFromUuid("trf", row["pending"] as string),
  };
}

function balanceFrom(row: DatabaseRow): BalanceRecord {
  const debitsPosted = row["debits_posted"] as bigint;
  const creditsPosted = row["credits_posted"] as bigint;
  return {
    code: row["code"] as AccountCode,
    currency: currencyOf(row["currency"]),
    debitsPosted,
    creditsPosted,
    debitsPending: row["debits_pending"] as bigint,
    creditsPending: row["credits_pending"] as bigint,
    balance: row["normal_side"] === "debit" ? debitsPosted - creditsPosted : creditsPosted - debitsPosted,
  };
}
