import { homeOf, newId, type TransferId } from "../../kernel/ids.ts";
import { type Money, moneyOf } from "../../kernel/money.ts";
import { type AccountCode, accountOf } from "../../ledger/accounts.ts";
import type { Transfer } from "../../ledger/transfer.ts";
import type { Payment } from "./payment.ts";

/**
 * What each step of a payment posts. With a fee of 3.20 on 100.00:
 *
 *   authorization   pending  provider_receivable -> merchant_payable   100.00
 *   capture         post                                               100.00 (a part: less)
 *                   single   merchant_payable -> fee_revenue             3.20
 *                   release  what a final capture leaves over
 *   void            release                                            100.00
 *   sale            single   provider_receivable -> merchant_payable   100.00, and the fee
 *   refund hold     pending  merchant_payable -> provider_receivable    40.00
 *   refund          post     the hold;   refund failed: release the hold
 *
 * Debit -> credit. The fee is kept when a payment is refunded.
 */
export type TransferIds = () => TransferId;

export const transferIds =
  (payment: Payment, at: Date): TransferIds =>
  () =>
    newId("trf", homeOf(payment.merchant), at);

const move = (
  kind: "single" | "pending",
  payment: Payment,
  debit: AccountCode,
  credit: AccountCode,
  amount: Money,
  ids: TransferIds,
): Transfer => ({
  kind,
  id: ids(),
  amount,
  debit: accountOf(debit, payment.merchant),
  credit: accountOf(credit, payment.merchant),
});

const money = (payment: Payment, minor: bigint): Money => moneyOf(minor, payment.amount.currency);

export function holdAuthorization(payment: Payment, ids: TransferIds): Transfer {
  return move("pending", payment, "provider_receivable", "merchant_payable", payment.amount, ids);
}

const takeFee = (payment: Payment, fee: bigint, ids: TransferIds): Transfer[] =>
  fee === 0n ? [] : [move("single", payment, "merchant_payable", "fee_revenue", money(payment, fee), ids)];

export function sale(payment: Payment, fee: bigint, ids: TransferIds): Transfer[] {
  return [
    move("single", payment, "provider_receivable", "merchant_payable", payment.amount, ids),
    ...takeFee(payment, fee, ids),
  ];
}

const resolvePart = (
  kind: "post" | "release",
  payment: Payment,
  pending: TransferId,
  minor: bigint,
  ids: TransferIds,
): Transfer[] => (minor === 0n ? [] : [{ kind, id: ids(), pending, amount: money(payment, minor) }]);

/** Posts the captured part of `pending`, takes the fee and, after a final capture, gives the rest back. */
export function capture(
  payment: Payment,
  pending: TransferId,
  part: { readonly amount: bigint; readonly fee: bigint; readonly final: boolean },
  ids: TransferIds,
): Transfer[] {
  const rest = part.final ? payment.authorized - payment.captured - part.amount : 0n;
  return [
    ...resolvePart("post", payment, pending, part.amount, ids),
    ...takeFee(payment, part.fee, ids),
    ...resolvePart("release", payment, pending, rest, ids),
  ];
}

/** Gives back what of the authorization is not captured. */
export function releaseAuthorization(payment: Payment, pending: TransferId, ids: TransferIds): Transfer[] {
  return resolvePart("release", payment, pending, payment.authorized - payment.captured, ids);
}

export function holdRefund(payment: Payment, minor: bigint, ids: TransferIds): Transfer {
  return move("pending", payment, "merchant_payable", "provider_receivable", money(payment, minor), ids);
}

export function endRefund(
  payment: Payment,
  hold: TransferId,
  minor: bigint,
  succeeded: boolean,
  ids: TransferIds,
): Transfer[] {
  return resolvePart(succeeded ? "post" : "release", payment, hold, minor, ids);
}
