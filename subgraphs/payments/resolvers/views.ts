import { enumOf, moneyFields } from "../../api/scalars.ts";
import type { Currency } from "../../kernel/currency.ts";
import { moneyOf } from "../../kernel/money.ts";
import { DECLINE_CODES, type Decline } from "../domain/decline.ts";
import type { Operation } from "../domain/operation.ts";
import { capturable, type Payment, refundable, stateOf } from "../domain/payment.ts";
import type { SessionView } from "../flow/checkout.ts";

/** How the domain looks in the API: objects that the schema's default resolvers read. */

const ADVICE = {
  another_card: "USE_ANOTHER_CARD",
  fix_input: "CORRECT_THE_INPUT",
  later: "TRY_AGAIN_LATER",
  no: "DO_NOT_TRY_AGAIN",
} as const;

export const declineView = (decline: Decline) => ({
  code: enumOf(decline.code),
  message: decline.message,
  advice: ADVICE[DECLINE_CODES[decline.code].retry],
  providerCode: decline.providerCode,
});

export function paymentView(payment: Payment) {
  const money = (minor: bigint) => moneyFields(moneyOf(minor, payment.amount.currency));
  return {
    __typename: "Payment",
    id: payment.id,
    state: enumOf(stateOf(payment)),
    amount: moneyFields(payment.amount),
    authorizedAmount: money(payment.authorized),
    capturedAmount: money(payment.captured),
    refundedAmount: money(payment.refunded),
    capturableAmount: moneyFields(capturable(payment)),
    refundableAmount: moneyFields(refundable(payment)),
    fee: money(payment.fee),
    captureMethod: enumOf(payment.captureMethod),
    authorizationExpiresAt: payment.authorizationExpiresAt,
    card: payment.card,
    description: payment.description,
    reference: payment.reference,
    decline: payment.decline === null ? null : declineView(payment.decline),
    provider: payment.provider,
    checkoutSessionId: payment.checkoutSession,
    createdAt: payment.createdAt,
    updatedAt: payment.updatedAt,
  };
}

export type PaymentView = ReturnType<typeof paymentView>;

export const operationView = (operation: Operation, currency: Currency) => ({
  id: operation.id,
  kind: enumOf(operation.kind),
  state: operation.state === "claimed" ? "PENDING" : enumOf(operation.state),
  amount: moneyFields(moneyOf(operation.amount, currency)),
  final: operation.final,
  reference: operation.reference,
  failure: operation.failure === null ? null : declineView(operation.failure),
  createdAt: operation.claimedAt,
  resolvedAt: operation.resolvedAt,
});

export const sessionView = ({ session, status, payment }: SessionView) => ({
  __typename: "CheckoutSession",
  id: session.id,
  status: enumOf(status),
  attempt: session.attempt,
  amount: moneyFields(session.amount),
  description: session.description,
  expiresAt: session.expiresAt,
  latestPayment: payment,
});

export type CheckoutSessionView = ReturnType<typeof sessionView>;
