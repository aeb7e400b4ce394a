import DataLoader from "dataloader";
import { type RequestContext, secretEntry, secretReference } from "../../api/context.ts";
import { enumOf, scalars } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import { isCurrency } from "../../kernel/currency.ts";
import { homeOf, type MerchantId, type PaymentId, parseId } from "../../kernel/ids.ts";
import type { AccountCode } from "../accounts.ts";
import { type AuditDeps, auditResolvers } from "../audit/resolvers.ts";
import type { Reconcile } from "../reconcile/reconcile.ts";
import type { JournalRecord, LedgerReads } from "../sql/reads.ts";
import type { BalanceRecord } from "../sql/rows.ts";
import type { AccountRecord, StatementReads } from "../sql/statements.ts";
import { notProjected, readInstantIfAny } from "./instants.ts";
import { type ReconciliationArguments, reconciliationOf } from "./reconciliation.ts";
import { type StatementArguments, statementConnection } from "./statement.ts";
import { balanceView, journalView, trialBalanceView } from "./views.ts";

export type LedgerDeps = {
  readonly reads: LedgerReads;
  readonly statements: StatementReads;
  readonly reconcile: Reconcile;
  readonly audit: AuditDeps;
};

type AsOf = { readonly at?: string | null };
type Named = { readonly code: string; readonly name?: string | null; readonly currency: string };
type Merchant = { readonly id: MerchantId };

/** Resolvers of the ledger subgraph: journals, balances, statements and reconciliation, of the caller's own books. */
export function ledgerResolvers({ reads, statements, reconcile, audit }: LedgerDeps): ResolverMap {
  const proving = auditResolvers(audit);
  const loaders = journalLoaders(reads);

  /** As they are kept now, or as statements had them at an instant. */
  const balancesOf = async (merchant: MerchantId, { at }: AsOf): Promise<BalanceRecord[]> => {
    const instant = readInstantIfAny(at);
    if (instant === null) return reads.balances(merchant);
    const found = await statements.balancesAt(merchant, instant, null);
    if (!found.ok) throw notProjected(found.error);
    return found.value;
  };

  return {
    ...scalars,
    Query: {
      ...proving.Query,
      reconcileLedger: secretEntry((_, args: ReconciliationArguments, { identity: { merchant } }) =>
        reconciliationOf(reconcile, merchant, homeOf(merchant).shard, args),
      ),
    },
    Payment: {
      ...proving.Payment,
      __resolveReference: secretReference(({ id }) => (parseId("pay", id).ok ? { id } : null)),
      journals: async ({ id }: { id: PaymentId }, _: unknown, context: RequestContext) =>
        (await loaders(context).load(id)).map(journalView),
    },
    Merchant: {
      // Another merchant is not there.
      __resolveReference: secretReference(({ id }, { identity }) =>
        id === identity.merchant ? { id } : null,
      ),
      balances: async ({ id }: Merchant, args: AsOf) => (await balancesOf(id, args)).map(balanceView),
      trialBalance: async ({ id }: Merchant, args: AsOf) => trialBalanceView(await balancesOf(id, args)),
      account: async ({ id }: Merchant, { code, name, currency }: Named) => {
        if (!isCurrency(currency)) return null;
        const named = { code: code.toLowerCase() as AccountCode, name: name ?? null };
        return statements.account(id, named, currency);
      },
      statementsCompleteThrough: ({ id }: Merchant) => statements.projectedThrough(id),
    },
    Account: {
      code: ({ code }: AccountRecord) => enumOf(code),
      normalSide: ({ normalSide }: AccountRecord) => enumOf(normalSide),
      balance: async (account: AccountRecord, { at }: AsOf, { identity: { merchant } }: RequestContext) => {
        const instant = readInstantIfAny(at);
        if (instant === null) return balanceView(account.now);
        const found = await statements.balancesAt(merchant, instant, account);
        if (!found.ok) throw notProjected(found.error);
        return found.value.map(balanceView)[0];
      },
      statement: (
        account: AccountRecord,
        args: StatementArguments,
        { identity: { merchant } }: RequestContext,
      ) => statementConnection(statements, merchant, account, args),
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
