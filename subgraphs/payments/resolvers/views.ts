import { enumOf, moneyFields } from "../../api/scalars.ts";
import type { Currency } from "../../kernel/currency.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { Customer } from "../domain/customer.ts";
import { DECLINE_CODES, type Decline } from "../domain/decline.ts";
import type { AnswerDetails, NextAction, Operation } from "../domain/operation.ts";
import { capturable, capturableAtMost, type Payment, refundable, stateOf } from "../domain/payment.ts";
import type { RoutingReason } from "../domain/routing/reason.ts";
import type { StoredMethod } from "../domain/stored-method.ts";
import type { Decided } from "../domain/three-ds/policy.ts";
import type { SessionView } from "../flow/checkout.ts";

/** How the domain looks in the API: objects that the schema's default resolvers read. */

const ADVICE = {
  another_card: "USE_ANOTHER_CARD",
  fix_input: "CORRECT_THE_INPUT",
  authenticate: "AUTHENTICATE_THE_PAYER",
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
  const { terms } = payment;
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
    maximumCapturableAmount: moneyFields(capturableAtMost(payment)),
    refundableAmount: moneyFields(refundable(payment)),
    fee: money(payment.fee),
    captureMethod: enumOf(payment.captureMethod),
    authorizationExpiresAt: payment.authorizationExpiresAt,
    card: terms.card,
    description: terms.description,
    reference: terms.reference,
    action: payment.action === null ? null : actionView(payment.action),
    authentication: payment.authentication,
    customerId: terms.customer,
    paymentMethodId: terms.paymentMethod,
    duplicateOfId: terms.duplicateOf,
    decline: payment.decline === null ? null : declineView(payment.decline),
    provider: payment.provider,
    checkoutSessionId: terms.checkoutSession,
    createdAt: payment.createdAt,
    updatedAt: payment.updatedAt,
  };
}

/** What the payer has to do. */
export const actionView = (action: NextAction) => ({
  type: enumOf(action.type),
  url: action.type === "redirect" ? action.url : null,
  acsUrl: action.type === "challenge" ? action.acsUrl : null,
  creq: action.type === "challenge" ? action.creq : null,
  until: action.type === "decoupled" ? new Date(action.until) : null,
});

export type PaymentView = ReturnType<typeof paymentView>;

const detailsView = (details: AnswerDetails, currency: Currency) => ({
  ...details,
  avs:
    details.avs === null
      ? null
      : { address: enumOf(details.avs.address), postalCode: enumOf(details.avs.postalCode) },
  cvc: details.cvc === null ? null : enumOf(details.cvc),
  funding: details.funding === null ? null : enumOf(details.funding),
  providerFee:
    details.providerFee === null ? null : moneyFields(moneyOf(BigInt(details.providerFee), currency)),
});

const routingView = ({ because, rule, candidates, authentication }: RoutingReason) => ({
  because: enumOf(because),
  rule,
  candidates,
  authentication: authentication === undefined ? null : decisionView(authentication),
});

const decisionView = ({ because, by, challenge, exemption }: Decided) => ({
  because: enumOf(because),
  by: by === null ? null : enumOf(by),
  challenge: challenge === null ? null : enumOf(challenge),
  exemption: exemption === null ? null : enumOf(exemption),
});

export const operationView = (operation: Operation, currency: Currency) => ({
  id: operation.id,
  kind: enumOf(operation.kind),
  state: operation.state === "claimed" ? "PENDING" : enumOf(operation.state),
  provider: operation.provider,
  attempt: operation.attempt,
  providerReference: operation.providerOperation,
  details: operation.details === null ? null : detailsView(operation.details, currency),
  routing: operation.routing === null ? null : routingView(operation.routing),
  durationMs:
    operation.resolvedAt === null ? null : operation.resolvedAt.getTime() - operation.claimedAt.getTime(),
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

export const customerView = ({ id, reference, email, name, createdAt }: Customer) => ({
  __typename: "Customer",
  id,
  reference,
  email,
  name,
  createdAt,
});

export const methodView = (method: StoredMethod) => ({
  __typename: "PaymentMethod",
  id: method.id,
  card: method.card,
  status: enumOf(method.status),
  storedFor: enumOf(method.mandate.reason),
  networkTransactionId: method.networkTransactionId,
  createdAt: method.createdAt,
});
