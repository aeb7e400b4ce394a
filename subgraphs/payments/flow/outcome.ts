import type { Money } from "../../kernel/money.ts";
import { invariant } from "../../kernel/result.ts";
import type { Decline } from "../domain/decline.ts";
import type { InputIssue } from "../domain/input-issue.ts";
import type { Operation } from "../domain/operation.ts";
import type { Payment, PaymentState } from "../domain/payment.ts";

/** How an operation that was claimed stands. */
export type OperationOutcome =
  | { readonly kind: "succeeded"; readonly payment: Payment; readonly operation: Operation }
  | {
      readonly kind: "declined";
      readonly payment: Payment;
      readonly operation: Operation;
      readonly decline: Decline;
    }
  | {
      readonly kind: "failed";
      readonly payment: Payment;
      readonly operation: Operation;
      readonly decline: Decline;
    }
  /** The payer has to do something first: `payment.action`. */
  | { readonly kind: "requires_action"; readonly payment: Payment; readonly operation: Operation }
  /** In flight, or its outcome is not known yet: ask again with the same key, or read the payment. */
  | { readonly kind: "pending"; readonly payment: Payment; readonly operation: Operation };

/** Why nothing was claimed. */
export type Refusal =
  | { readonly kind: "invalid"; readonly issues: readonly InputIssue[] }
  | { readonly kind: "key_reused" }
  | { readonly kind: "not_found" }
  | { readonly kind: "illegal_state"; readonly state: PaymentState; readonly because: string }
  | { readonly kind: "exceeds"; readonly available: Money }
  | { readonly kind: "overloaded" }
  /** Every provider that could take the payment is out of reach: the same request may be sent again in a while. */
  | { readonly kind: "unavailable" };

export type Outcome = OperationOutcome | Refusal;

/**
 * The outcome that a stored operation stands for: the answer to every repetition of its request. An authorization's is its
 * payment's, since several providers may have been asked for it.
 */
export function outcomeOf(payment: Payment, operation: Operation): OperationOutcome {
  return operation.kind === "authorize" || operation.kind === "authenticate"
    ? attemptOutcome(payment, operation)
    : ownOutcome(payment, operation);
}

function attemptOutcome(payment: Payment, operation: Operation): OperationOutcome {
  switch (payment.phase) {
    case "processing":
      return { kind: "pending", payment, operation };
    case "requires_action":
      return { kind: "requires_action", payment, operation };
    case "declined":
    case "failed":
      invariant(payment.decline !== null, "a payment that did not happen says why");
      return { kind: payment.phase, payment, operation, decline: payment.decline };
    case "open":
    case "voided":
    case "expired":
      return { kind: "succeeded", payment, operation };
  }
}

function ownOutcome(payment: Payment, operation: Operation): OperationOutcome {
  switch (operation.state) {
    case "claimed":
    case "requires_action":
      return { kind: "pending", payment, operation };
    case "succeeded":
      return { kind: "succeeded", payment, operation };
    case "declined":
    case "failed":
    case "reversed": {
      invariant(operation.failure !== null, "an operation that did not succeed says why");
      const kind = operation.state === "declined" ? "declined" : "failed";
      return { kind, payment, operation, decline: operation.failure };
    }
  }
}
