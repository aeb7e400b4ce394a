/**
 * Balance transactions: what each capture and refund does to the merchant's balance, gross, fee and net.
 */

import { processingFee } from "./amounts.ts";
import { renderBalanceTransaction } from "./balance-objects.ts";
import { resourceMissing } from "./errors.ts";
import { expand } from "./expand.ts";
import { newId } from "./ids.ts";
import { LIST_PARAMS, list, listQuery } from "./listing.ts";
import type { BalanceTransactionRecord, ChargeRecord, RefundRecord } from "./records.ts";
import { ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";

const SETTLEMENT_SECONDS = 2 * 24 * 60 * 60;

/**
 * Records what a capture, a refund or a failed refund of `amount` (positive minor units) does to the balance.
 * Gives the transaction's id.
 */
export function recordBalance(
  work: Work,
  type: BalanceTransactionRecord["type"],
  charge: ChargeRecord,
  amount: number,
  extra: { readonly refund?: RefundRecord; readonly lagMs?: number } = {},
): string {
  const atOnce = work.get("paymentMethods", charge.paymentMethod).behaviour.fundsAvailableAtOnce === true;
  const transaction: BalanceTransactionRecord = {
    id: newId("txn"),
    created: work.nowSeconds,
    type,
    amount: type === "refund" ? -amount : amount,
    // Fees are not given back with a refund, so neither a refund nor its failure carries one.
    fee: type === "charge" ? processingFee(amount) : 0,
    currency: charge.currency,
    description:
      type === "charge"
        ? charge.description
        : `${type === "refund" ? "Refund" : "Failed refund"} of a charge`,
    source: extra.refund?.id ?? charge.id,
    availableOn: work.nowSeconds + (type === "charge" && !atOnce ? SETTLEMENT_SECONDS : 0),
    visibleAtMs: work.nowMs + (extra.lagMs ?? 0),
  };
  work.put("balanceTransactions", transaction);
  return transaction.id;
}

export const balanceRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/balance_transactions",
    operation: "lookup",
    prepare: (params) => {
      params.expectOnly([...LIST_PARAMS, "currency", "source", "type"], ["payout"]);
      const query = listQuery(params);
      const [currency, type, owner] = [
        params.string("currency"),
        params.string("type"),
        params.string("source"),
      ];
      const paths = params.strings("expand") ?? [];
      return (work) => {
        const page = list(query, {
          table: work.store.tables.balanceTransactions,
          noun: "balance transaction",
          url: "/v1/balance_transactions",
          owner,
          accept: (transaction) =>
            transaction.visibleAtMs <= work.nowMs &&
            (currency === undefined || transaction.currency === currency) &&
            (type === undefined || transaction.type === type),
          render: (transaction) => renderBalanceTransaction(work, transaction),
        });
        return ok(expand(work, page, paths));
      };
    },
  },
  {
    method: "GET",
    path: "/v1/balance_transactions/:id",
    operation: "lookup",
    prepare: (params, id) => {
      params.expectOnly(["expand"]);
      const paths = params.strings("expand") ?? [];
      return (work) => {
        const transaction = work.find("balanceTransactions", id);
        if (transaction === undefined || transaction.visibleAtMs > work.nowMs) {
          throw resourceMissing("balance transaction", id, "id");
        }
        return ok(expand(work, renderBalanceTransaction(work, transaction), paths));
      };
    },
  },
];
