import { enumOf, moneyFields } from "../../api/scalars.ts";
import type { Currency } from "../../kernel/currency.ts";
import type { AccountName, JournalRecord, TransferRecord } from "../sql/reads.ts";
import type { BalanceRecord } from "../sql/rows.ts";

/** How the books look in the API: our own words become enum values. */

export const balanceView = (balance: BalanceRecord) => ({ ...balance, code: enumOf(balance.code) });

const accountView = ({ code, name, book }: AccountName) => ({ code: enumOf(code), name, book: enumOf(book) });

const transferView = ({ id, kind, amount, debit, credit, pending }: TransferRecord) => ({
  id,
  kind: enumOf(kind),
  amount: moneyFields(amount),
  debit: accountView(debit),
  credit: accountView(credit),
  pending,
});

export const journalView = ({ id, cause, createdAt, transfers }: JournalRecord) => ({
  id,
  cause: enumOf(cause),
  createdAt,
  transfers: transfers.map(transferView),
});

/** A book's trial balance: what each account has had on each side, by currency, and what the sums leave. */
export function trialBalanceView(balances: readonly BalanceRecord[]) {
  const byCurrency = Map.groupBy(balances, ({ currency }) => currency);
  return [...byCurrency].map(([currency, accounts]: [Currency, BalanceRecord[]]) => {
    const debits = accounts.reduce((sum, { debitsPosted }) => sum + debitsPosted, 0n);
    const credits = accounts.reduce((sum, { creditsPosted }) => sum + creditsPosted, 0n);
    const against = credits - debits;
    return { currency, accounts: accounts.map(balanceView), debits, credits, operatorBalance: against };
  });
}
