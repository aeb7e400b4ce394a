import DataLoader from "dataloader";
import { type RequestContext, secretReference } from "../../api/context.ts";
import { enumOf, moneyFields, scalars } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import { type MerchantId, type PaymentId, parseId } from "../../kernel/ids.ts";
import type { AccountName, JournalRecord, LedgerReads, TransferRecord } from "../sql/reads.ts";

/** Resolvers of the ledger subgraph: a payment's journals and a merchant's balances. */
export function ledgerResolvers(reads: LedgerReads): ResolverMap {
  const loaders = journalLoaders(reads);
  return {
    ...scalars,
    Payment: {
      __resolveReference: secretReference(({ id }) => (parseId("pay", id).ok ? { id } : null)),
      journals: async ({ id }: { id: PaymentId }, _: unknown, context: RequestContext) =>
        (await loaders(context).load(id)).map(journalView),
    },
    Merchant: {
      // Another merchant is not there.
      __resolveReference: secretReference(({ id }, { identity }) =>
        id === identity.merchant ? { id } : null,
      ),
      balances: async ({ id }: { id: MerchantId }) =>
        (await reads.balances(id)).map((balance) => ({ ...balance, code: enumOf(balance.code) })),
    },
  };
}

/** One loader for each execution: a page of payments reads its journals at once. */
function journalLoaders(reads: LedgerReads) {
  const loaders = new WeakMap<RequestContext, DataLoader<PaymentId, JournalRecord[]>>();
  return (context: RequestContext) => {
    const known = loaders.get(context);
    if (known !== undefined) return known;
    const loader = new DataLoader<PaymentId, JournalRecord[]>(async (payments) => {
      const journals = await reads.journals(context.identity.merchant, payments);
      return payments.map((payment) => journals.get(payment) ?? []);
    });
    loaders.set(context, loader);
    return loader;
  };
}

const accountView = ({ code, book }: AccountName) => ({ code: enumOf(code), book: enumOf(book) });

const transferView = ({ id, kind, amount, debit, credit, pending }: TransferRecord) => ({
  id,
  kind: enumOf(kind),
  amount: moneyFields(amount),
  debit: accountView(debit),
  credit: accountView(credit),
  pending,
});

const journalView = ({ id, cause, createdAt, transfers }: JournalRecord) => ({
  id,
  cause: enumOf(cause),
  createdAt,
  transfers: transfers.map(transferView),
});
