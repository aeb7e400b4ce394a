import { unavailable } from "../../api/context.ts";
import { enumOf, moneyFields } from "../../api/scalars.ts";
import { formatMoney } from "../../kernel/money.ts";
import { unreachable } from "../../kernel/result.ts";
import type { InputIssue } from "../domain/input-issue.ts";
import type { ConfirmOutcome, OpenOutcome } from "../flow/checkout.ts";
import type { CustomerOutcome } from "../flow/customer.ts";
import type { Outcome } from "../flow/outcome.ts";
import { actionView, customerView, declineView, paymentView, sessionView } from "./views.ts";

/** What happened, as the member of the result union that says it. Every outcome has its own. */

const PENDING =
  "The outcome is not known yet. Repeat the request with the same idempotencyKey, or read the payment, until it is.";
const ACTION_REQUIRED =
  "The payer has to do something first: see `action`. Then repeat the request with the same idempotencyKey, or read the payment.";
const KEY_REUSED =
  "This idempotencyKey was used before with other arguments. Use a new key for a new request, or repeat the first request as it was.";

export function invalidInput(issues: readonly InputIssue[]) {
  return { __typename: "InvalidInput", message: issues.map(({ message }) => message).join(" "), issues };
}

export const notFound = () => ({
  __typename: "PaymentNotFound",
  message: "You have no payment with this id. Check the id, and that the key belongs to the same merchant.",
});

export function outcomeView(outcome: Outcome) {
  switch (outcome.kind) {
    case "succeeded":
      return paymentView(outcome.payment);
    case "declined": {
      const { decline, payment } = outcome;
      // A capture or refund is not the issuer's to decline: whatever refused it, nothing moved.
      const opens = outcome.operation.kind === "authorize" || outcome.operation.kind === "authenticate";
      const __typename = opens ? "PaymentDeclined" : "ProviderRefused";
      return {
        __typename,
        message: decline.message,
        reason: declineView(decline),
        payment: paymentView(payment),
      };
    }
    case "failed": {
      const { decline, payment } = outcome;
      return {
        __typename: "ProviderRefused",
        message: decline.message,
        reason: declineView(decline),
        payment: paymentView(payment),
      };
    }
    case "pending":
      return { __typename: "PaymentPending", message: PENDING, payment: paymentView(outcome.payment) };
    case "requires_action":
      return {
        __typename: "PaymentActionRequired",
        message: ACTION_REQUIRED,
        action: outcome.payment.action === null ? null : actionView(outcome.payment.action),
        payment: paymentView(outcome.payment),
      };
    case "invalid":
      return invalidInput(outcome.issues);
    case "key_reused":
      return { __typename: "IdempotencyKeyReused", message: KEY_REUSED };
    case "not_found":
      return notFound();
    case "illegal_state":
      return {
        __typename: "PaymentStateConflict",
        message: `The payment is ${outcome.state}: ${outcome.because}.`,
        state: enumOf(outcome.state),
      };
    case "exceeds":
      return {
        __typename: "AmountExceedsAvailable",
        message: `At most ${formatMoney(outcome.available)} is available.`,
        available: moneyFields(outcome.available),
      };
    case "overloaded":
      throw overloaded();
    case "unavailable":
      throw providersAway();
    default:
      return unreachable(outcome);
  }
}

const providersAway = () =>
  unavailable(
    "No provider can be reached at the moment. Nothing was done: repeat the request with the same idempotencyKey.",
  );

export const overloaded = () =>
  unavailable(
    "Too many payments are in flight. Nothing was done: repeat the request with the same idempotencyKey.",
    "OVERLOADED",
  );

export function openView(outcome: OpenOutcome) {
  switch (outcome.kind) {
    case "opened":
      return sessionView({ session: outcome.session, status: "open", payment: null });
    case "invalid":
      return invalidInput(outcome.issues);
    case "key_reused":
      return { __typename: "IdempotencyKeyReused", message: KEY_REUSED };
    default:
      throw overloaded();
  }
}

export const sessionNotFound = () => ({
  __typename: "CheckoutSessionNotFound",
  message:
    "No checkout session has this client secret. Check that it is complete and of the same merchant as the key.",
});

export function confirmView(outcome: ConfirmOutcome) {
  switch (outcome.kind) {
    case "paid":
      return sessionView(outcome.view);
    case "ended": {
      const { code, advice, message } = declineView(outcome.outcome.decline);
      return { __typename: "CheckoutDeclined", message, code, advice, session: sessionView(outcome.view) };
    }
    case "pending":
      return {
        __typename: "CheckoutPending",
        message: "The payment is being confirmed. This can take a moment; do not pay again.",
        session: sessionView(outcome.view),
      };
    case "requires_action": {
      const { payment } = outcome.view;
      return {
        __typename: "CheckoutActionRequired",
        message: "The payer has to do something first. Then confirm the same attempt again.",
        action: payment?.action ? actionView(payment.action) : null,
        session: sessionView(outcome.view),
      };
    }
    case "expired":
      return {
        __typename: "CheckoutSessionExpired",
        message: "This checkout has expired. Go back to the shop and start again.",
      };
    case "not_found":
      return sessionNotFound();
    case "invalid":
      return invalidInput(outcome.issues);
    case "overloaded":
      throw overloaded();
    case "unavailable":
      throw providersAway();
    default:
      return unreachable(outcome);
  }
}

export const methodNotFound = () => ({
  __typename: "PaymentMethodNotFound",
  message:
    "You have no stored card with this id. Check the id, and that the key belongs to the same merchant.",
});

export function customerOutcomeView(outcome: CustomerOutcome) {
  switch (outcome.kind) {
    case "created":
      return customerView(outcome.customer);
    case "key_reused":
      return { __typename: "IdempotencyKeyReused", message: KEY_REUSED };
    case "overloaded":
      throw overloaded();
    default:
      return unreachable(outcome);
  }
}
