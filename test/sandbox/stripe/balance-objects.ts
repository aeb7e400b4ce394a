/**
 * Renders refunds and balance transactions as Stripe's wire objects.
 */

import type { WireObject } from "./objects.ts";
import type { BalanceTransactionRecord, RefundRecord } from "./records.ts";
import type { Work } from "./store.ts";

export function renderRefund(refund: RefundRecord): WireObject {
  const { failureBalanceTransaction } = refund;
  return {
    id: refund.id,
    object: "refund",
    amount: refund.amount,
    balance_transaction: refund.balanceTransaction,
    charge: refund.charge,
    created: refund.created,
    currency: refund.currency,
    customer: null,
    customer_account: null,
    destination_details: {
      card: {
        reference_status: "pending",
        reference_type: "acquirer_reference_number",
        type: "refund",
      },
      type: "card",
    },
    ...(failureBalanceTransaction === null ? {} : { failure_balance_transaction: failureBalanceTransaction }),
    ...(refund.status === "failed" ? { failure_reason: refund.failureReason } : {}),
    metadata: refund.metadata,
    payment_intent: refund.paymentIntent,
    payment_method: refund.paymentMethod,
    ...(refund.status === "pending" ? { pending_reason: "processing" } : {}),
    reason: refund.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: refund.status,
    transfer_reversal: null,
  };
}

export function renderBalanceTransaction(work: Work, transaction: BalanceTransactionRecord): WireObject {
  const { fee, currency } = transaction;
  return {
    id: transaction.id,
    object: "balance_transaction",
    amount: transaction.amount,
    available_on: transaction.availableOn,
    balance_type: "payments",
    created: transaction.created,
    currency,
    description: transaction.description,
    exchange_rate: null,
    fee,
    fee_details:
      fee === 0
        ? []
        : [{ amount: fee, application: null, currency, description: "Processing fee", type: "stripe_fee" }],
    net: transaction.amount - fee,
    reporting_category: transaction.type,
    source: transaction.source,
    status: transaction.availableOn <= work.nowSeconds ? "available" : "pending",
    type: transaction.type,
  };
}
