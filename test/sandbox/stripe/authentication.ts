/**
 * The customer's side of 3D Secure: the page that a bank would show, and what its answer does.
 *
 * A payment intent in `requires_action` names this page in `next_action`. A test may also post the outcome as
 * JSON and spare itself the browser.
 */

import { charge, reject } from "./charging.ts";
import { invalidRequest } from "./errors.ts";
import { findIntent, unexpectedState } from "./payment-intents.ts";
import type { PaymentIntentRecord } from "./records.ts";
import type { Work } from "./store.ts";

export type AuthenticationOutcome = "succeed" | "fail";

/**
 * Ends the authentication that a payment intent waits for. Where the merchant confirms by itself
 * (`confirmation_method=manual`) the payment then waits for that; otherwise it is attempted at once.
 * Throws a `Refusal` where there is no such payment intent, or none that waits.
 */
export function authenticate(work: Work, id: string, outcome: AuthenticationOutcome): PaymentIntentRecord {
  const intent = findIntent(work, id);
  if (intent.status !== "requires_action" || intent.paymentMethod === null) {
    throw unexpectedState(work, intent, "authenticated", ["requires_action"]);
  }
  const method = work.get("paymentMethods", intent.paymentMethod);
  if (outcome === "fail") {
    return reject(work, intent, method, null, {
      type: "invalid_request_error",
      code: "payment_intent_authentication_failure",
      message: "The customer did not authenticate with this payment method.",
    }).intent;
  }
  const authenticated: PaymentIntentRecord = { ...intent, authenticated: true, nextAction: null };
  if (intent.confirmationMethod === "manual") {
    return work.put("paymentIntents", { ...authenticated, status: "requires_confirmation" });
  }
  return charge(work, authenticated, method).intent;
}

/** The key under which the payment was confirmed: the movement that follows is that request's doing. */
export function confirmationKey(intent: PaymentIntentRecord | undefined): string | null {
  return intent?.nextAction?.idempotencyKey ?? null;
}

/** Reads an outcome; throws a 400 `Refusal` otherwise. */
export function readOutcome(value: unknown): AuthenticationOutcome {
  if (value === "succeed" || value === "fail") return value;
  throw invalidRequest("outcome must be succeed or fail", { param: "outcome" });
}

/** Where the customer goes afterwards, with what Stripe adds to a return address; null where none was given. */
export function returnAddress(returnUrl: string | null, intent: PaymentIntentRecord): string | null {
  if (returnUrl === null) return null;
  const address = new URL(returnUrl);
  address.searchParams.set("payment_intent", intent.id);
  address.searchParams.set("payment_intent_client_secret", intent.clientSecret);
  address.searchParams.set(
    "redirect_status",
    intent.status === "requires_payment_method" ? "failed" : "succeeded",
  );
  return address.href;
}

/** The page: two buttons. Nothing on it comes from a merchant but the id, which is of this sandbox's making. */
export function authenticationPage(id: string): string {
  return `<!doctype html><meta charset="utf-8"><title>3D Secure (sandbox)</title>
<h1>3D Secure</h1><p>The bank of the sandbox asks: is this payment yours?</p>
<form method="post" action="/_sandbox/3ds/${id}">
<button name="outcome" value="succeed">Complete</button>
<button name="outcome" value="fail">Fail</button>
</form>`;
}
