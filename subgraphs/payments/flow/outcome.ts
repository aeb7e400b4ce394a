import type { Money } from "../../kernel/money.ts";
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
  /** In flight, or its outcome is not known yet: ask again with the same key, or read the payment. */
  | { readonly kind: "pending"; readonly payment: Payment; readonly operation: Operation };

/** Why nothing was claimed. */
export type Refusal =
  | { readonly kind: "invalid"; readonly issues: readonly InputIssue[] }
  | { readonly kind: "key_reused" }
  | { readonly kind: "not_found" }
  | { readonly kind: "illegal_state"; readonly state: PaymentState; readonly because: string }
  | { readonly kind: "exceeds"; readonly available: Money }
  | { readonly kind: "overloaded" };

export type Outcome = OperationOutcome | Refusal;

/** The outcome that a stored operation stands for: the answer to every repetition of its request. */
export function outcomeOf(payment: Payment, operation: Operation): OperationOutcome {
  switch (operation.state) {
    case "claimed":
      return { kind: "pending", payment, operation };
    case "succeeded":
      return { kind: "succeeded", payment, operation };
    case "declined":
    case "failed": {
      const decline = operation.failure ?? payment.decline;
      if (decline === null) throw new Error("invariant broken: an operation that did not succeed says why");
      return { kind: operation.state, payment, operation, decline };
    }
  }
}
