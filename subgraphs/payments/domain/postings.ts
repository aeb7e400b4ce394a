import type { TransferId } from "../../kernel/ids.ts";
import { type Money, moneyOf } from "../../kernel/money.ts";
import { type AccountCode, accountOf } from "../../ledger/accounts.ts";
import type { Transfer } from "../../ledger/transfer.ts";
import { settleHolds } from "../../ledger/two-phase.ts";
import { openHolds, type Payment } from "./payment.ts";

/**
 * What each step of a payment posts. With a fee of 3.20 on 100.00:
 *
 *   authorization   pending  provider_receivable -> merchant_payable   100.00
 *   capture         post                                               100.00 (a part: less)
 *                   single   merchant_payable -> fee_revenue             3.20
 *                   release  what a final capture leaves over
 *   void, expiry    release                                            100.00
 *   sale            single   provider_receivable -> merchant_payable   100.00, and the fee
 *   refund hold     pending  merchant_payable -> provider_receivable    40.00
 *   refund          post     the hold;   refund failed: release the hold
 *   increment       pending  provider_receivable -> merchant_payable    20.00, beside the first
 *   over-capture    single   provider_receivable -> merchant_payable   what a last capture takes above what is held
 *   refund reversed single   provider_receivable -> merchant_payable    40.00
 *
 * Debit -> credit. The fee is kept when a payment is refunded.
 */
type Sides = readonly [debit: AccountCode, credit: AccountCode];

const AUTHORIZATION: Sides = ["provider_receivable", "merchant_payable"];
const REFUND: Sides = ["merchant_payable", "provider_receivable"];
const FEE: Sides = ["merchant_payable", "fee_revenue"];

const between = (payment: Payment, [debit, credit]: Sides, minor: bigint) => {
  const { currency } = payment.amount;
  return {
    amount: money(payment, minor),
    debit: accountOf(debit, payment.merchant, currency),
    credit: accountOf(credit, payment.merchant, currency),
  };
};

/** Between the accounts of an authorization. */
const authorizationSides = (payment: Payment) => {
  const { amount: _none, ...accounts } = between(payment, AUTHORIZATION, 0n);
  return { ...accounts, currency: payment.amount.currency };
};

const money = (payment: Payment, minor: bigint): Money => moneyOf(minor, payment.amount.currency);

export function holdAuthorization(payment: Payment, expiresAt: Date | null): Transfer {
  return { kind: "pending", expiresAt, ...between(payment, AUTHORIZATION, payment.amount.minor) };
}

const takeFee = (payment: Payment, fee: bigint): Transfer[] =>
  fee === 0n ? [] : [{ kind: "single", ...between(payment, FEE, fee) }];

export function sale(payment: Payment, fee: bigint): Transfer[] {
  return [
    { kind: "single", ...between(payment, AUTHORIZATION, payment.amount.minor) },
    ...takeFee(payment, fee),
  ];
}

/** Holds what an increment adds. */
export function holdIncrement(payment: Payment, minor: bigint): Transfer {
  const expiresAt = payment.authorizationExpiresAt;
  return { kind: "pending", expiresAt, ...between(payment, AUTHORIZATION, minor) };
}

/** Posts the captured part from the holds, takes the fee and, after a final capture, gives the rest back. */
export function capture(
  payment: Payment,
  part: { readonly amount: bigint; readonly fee: bigint; readonly final: boolean },
): Transfer[] {
  return [
    ...settleHolds(openHolds(payment), authorizationSides(payment), part),
    ...takeFee(payment, part.fee),
  ];
}

/** Gives back what of the authorization is not captured. */
export function releaseAuthorization(payment: Payment): Transfer[] {
  return settleHolds(openHolds(payment), authorizationSides(payment), { amount: 0n, final: true });
}

/** A refund that came back is owed to the merchant again. */
export function reverseRefund(payment: Payment, minor: bigint): Transfer {
  return { kind: "single", ...between(payment, AUTHORIZATION, minor) };
}

export function holdRefund(payment: Payment, minor: bigint): Transfer {
  return { kind: "pending", ...between(payment, REFUND, minor) };
}

export function endRefund(payment: Payment, hold: TransferId, minor: bigint, succeeded: boolean): Transfer[] {
  return [{ kind: succeeded ? "post" : "release", pending: hold, ...between(payment, REFUND, minor) }];
}
