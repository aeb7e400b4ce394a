/**
 * One attempt to charge a card: the state machine from a chosen payment method to its outcome.
 *
 * An attempt ends in `succeeded`, `requires_capture`, `requires_action`, `processing`, or, with a 402, back in
 * `requires_payment_method`. Source: docs.stripe.com/payments/paymentintents/lifecycle, and for the errors
 * docs.stripe.com/declines/codes and docs.stripe.com/payments/without-card-authentication.
 */

import { randomBytes } from "node:crypto";
import { hasExpired } from "../kit/cards.ts";
import { randomText } from "../kit/ids.ts";
import type { Bending } from "../kit/world.ts";
import { checkBrandMaximum } from "./amounts.ts";
import { recordBalance } from "./balance.ts";
import { move } from "./book.ts";
import { type ErrorBody, withDocumentation } from "./errors.ts";
import { announceIntent } from "./events.ts";
import { holdTerms } from "./holds.ts";
import { newId } from "./ids.ts";
import { renderPaymentIntent, renderPaymentMethod } from "./objects.ts";
import type { ChargeOutcome, ChargeRecord, PaymentIntentRecord, PaymentMethodRecord } from "./records.ts";
import type { Work } from "./store.ts";
import { type Decline, declineOf } from "./test-cards.ts";

/** How the merchant asked for the attempt. */
export type AttemptOptions = {
  readonly offSession: boolean;
  readonly errorOnRequiresAction: boolean;
  readonly returnUrl: string | null;
};

/** The payment intent after the attempt, and the error to answer with where it was declined. */
export type AttemptResult = { readonly intent: PaymentIntentRecord; readonly error?: ErrorBody };

/** Attempts the payment with `method`. Throws a 400 `Refusal` where the card cannot carry the amount. */
export function attempt(
  work: Work,
  before: PaymentIntentRecord,
  method: PaymentMethodRecord,
  options: AttemptOptions,
  bending: Bending,
): AttemptResult {
  checkBrandMaximum(before.amount, method.brand);
  const sameMethod = before.paymentMethod === method.id;
  const intent: PaymentIntentRecord = {
    ...before,
    paymentMethod: method.id,
    authenticated: sameMethod && before.authenticated,
    lastPaymentError: null,
    nextAction: null,
  };
  if (bending.declineCode !== undefined) return charge(work, intent, method, declineOf(bending.declineCode));
  if (!intent.authenticated && mustAuthenticate(intent, method, options)) {
    return askToAuthenticate(work, intent, method, options);
  }
  if (bending.processingMs !== undefined) {
    const decision = { atMs: work.nowMs + bending.processingMs, idempotencyKey: work.idempotencyKey };
    const waiting = work.put("paymentIntents", { ...intent, status: "processing", decision });
    announceIntent(work, "payment_intent.processing", waiting);
    return { intent: waiting };
  }
  return charge(work, intent, method);
}

function mustAuthenticate(
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  options: AttemptOptions,
): boolean {
  // Authenticated elsewhere, to the issuer's satisfaction unless it was only exempted.
  const imported = intent.importedAuthentication;
  if (imported !== null && imported.exemptionIndicator !== "low_risk") return false;
  // The issuer knows the agreement that a payment without the customer refers to.
  const isAgreed = options.offSession && (method.setUp || intent.mitNetworkTransactionId !== null);
  switch (method.behaviour.authentication) {
    case "required":
      return true;
    case "unless_set_up":
      return !isAgreed;
    case "required_on_session":
      return !options.offSession;
    case "on_request":
      return intent.requestThreeDSecure !== "automatic";
    default:
      return false;
  }
}

function askToAuthenticate(
  work: Work,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  options: AttemptOptions,
): AttemptResult {
  if (options.offSession || options.errorOnRequiresAction) {
    // No charge: the payment never reached the network.
    const declineCode = options.errorOnRequiresAction
      ? "authentication_not_handled"
      : "authentication_required";
    return reject(work, intent, method, null, {
      type: "card_error",
      code: "authentication_required",
      decline_code: declineCode,
      message: "The card was declined. This payment requires authentication.",
    });
  }
  const nextAction = { returnUrl: options.returnUrl, idempotencyKey: work.idempotencyKey };
  const asking = work.put("paymentIntents", { ...intent, status: "requires_action", nextAction });
  announceIntent(work, "payment_intent.requires_action", asking);
  return { intent: asking };
}

/** Sends the payment to the card's issuer; `forced` is a decline that a fault rule ordered. */
export function charge(
  work: Work,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  forced?: Decline,
): AttemptResult {
  const decline = forced ?? declineFor(work, method);
  const made = newCharge(work, intent, method, decline);
  if (decline === undefined) return { intent: settle(work, intent, made, method) };
  work.put("charges", made);
  return reject(work, { ...intent, latestCharge: made.id }, method, made.id, {
    type: "card_error",
    code: decline.code,
    ...(decline.declineCode === undefined ? {} : { decline_code: decline.declineCode }),
    message: decline.message,
    ...(decline.param === undefined ? {} : { param: decline.param }),
  });
}

function declineFor(work: Work, method: PaymentMethodRecord): Decline | undefined {
  const { behaviour } = method;
  // A security code that was not sent is not checked, so it cannot be wrong.
  const unchecked = behaviour.decline?.code === "incorrect_cvc" && !method.cvcGiven;
  if (behaviour.decline !== undefined && !unchecked) return behaviour.decline;
  if (behaviour.authentication === "lookup_fails") return declineOf("generic_decline");
  if (behaviour.risk === "highest" && work.settings.blockHighestRisk) {
    return { ...declineOf("fraudulent"), blocked: "highest_risk_level" };
  }
  return hasExpired(method.expMonth, method.expYear, new Date(work.nowMs))
    ? declineOf("expired_card")
    : undefined;
}

function newCharge(
  work: Work,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  decline: Decline | undefined,
): ChargeRecord {
  const cvcCheck = decline?.code === "incorrect_cvc" ? "fail" : (method.behaviour.cvcCheck ?? "pass");
  return {
    id: newId("ch"),
    created: work.nowSeconds,
    paymentIntent: intent.id,
    paymentMethod: method.id,
    amount: intent.amount,
    currency: intent.currency,
    status: decline === undefined ? "succeeded" : "failed",
    captured: false,
    amountCaptured: 0,
    amountRefunded: 0,
    amountRefundPending: 0,
    captures: 0,
    ...holdTerms(work, intent, method.brand),
    ...(decline === undefined ? {} : { holdEnds: null }),
    failureCode: decline?.code ?? null,
    failureMessage: decline?.message ?? null,
    outcome: outcomeOf(method, decline),
    cvcCheck: method.cvcGiven ? cvcCheck : null,
    authenticated: intent.authenticated,
    importedAuthentication: intent.importedAuthentication,
    networkTransactionId: decline === undefined ? networkTransactionId(method.brand) : null,
    setupCredentialUsage: intent.setupCredentialUsage,
    storedCredentialUsage: intent.storedCredentialUsage,
    customer: intent.customer,
    balanceTransaction: null,
    description: intent.description,
    statementDescriptorSuffix: intent.statementDescriptorSuffix,
    metadata: intent.metadata,
  };
}

/** As the schemes make them: Visa 15 digits; Mastercard its three-letter code, six letters and digits, and a date. */
function networkTransactionId(brand: string): string {
  const digits = (length: number): string =>
    Array.from(randomBytes(length), (byte) => String(byte % 10)).join("");
  return brand === "mastercard" ? `MCC${randomText(6).toUpperCase()}${digits(4)}` : `4${digits(14)}`;
}

function outcomeOf(method: PaymentMethodRecord, decline: Decline | undefined): ChargeOutcome {
  const risk_level = method.behaviour.risk ?? "normal";
  if (decline === undefined) {
    const seller_message = "Payment complete.";
    return {
      type: "authorized",
      network_status: "approved_by_network",
      reason: null,
      risk_level,
      seller_message,
    };
  }
  if (decline.blocked !== undefined) {
    const seller_message = "The payment was blocked as high risk.";
    const reason = decline.blocked;
    return { type: "blocked", network_status: "not_sent_to_network", reason, risk_level, seller_message };
  }
  return {
    type: "issuer_declined",
    network_status: "declined_by_network",
    reason: decline.declineCode ?? decline.code,
    risk_level,
    seller_message: "The issuer declined the payment.",
  };
}

/** The approved payment: reserved, and captured at once unless the merchant wants to capture. */
function settle(
  work: Work,
  intent: PaymentIntentRecord,
  approved: ChargeRecord,
  method: PaymentMethodRecord,
): PaymentIntentRecord {
  const customer = method.customer ?? (intent.setupFutureUsage === null ? null : intent.customer);
  const setUp = method.setUp || (intent.setupFutureUsage === "off_session" && customer !== null);
  work.put("paymentMethods", { ...method, customer, setUp, spent: customer === null });
  const reserved: PaymentIntentRecord = {
    ...intent,
    latestCharge: approved.id,
    status: "requires_capture",
    amountCapturable: intent.amount,
  };
  work.put("charges", approved);
  work.put("paymentIntents", reserved);
  move(work, "authorized", approved, approved.amount);
  if (intent.captureMethod === "manual") {
    announceIntent(work, "payment_intent.amount_capturable_updated", reserved);
    return reserved;
  }
  const lagMs = intent.captureMethod === "automatic_async" ? work.settings.asyncCaptureLagMs : 0;
  const balanceTransaction = recordBalance(work, "charge", approved, approved.amount, { lagMs });
  const captured = work.put("charges", {
    ...approved,
    captured: true,
    captures: 1,
    amountCaptured: approved.amount,
    balanceTransaction,
  });
  move(work, "captured", captured, captured.amount);
  const paid = work.put("paymentIntents", {
    ...reserved,
    status: "succeeded",
    amountCapturable: 0,
    amountReceived: intent.amount,
  });
  announceIntent(work, "payment_intent.succeeded", paid);
  return paid;
}

/** The failed attempt: the payment intent goes back, and remembers why. */
export function reject(
  work: Work,
  intent: PaymentIntentRecord,
  method: PaymentMethodRecord,
  chargeId: string | null,
  why: ErrorBody,
): AttemptResult {
  const error = withDocumentation({ ...(chargeId === null ? {} : { charge: chargeId }), ...why });
  const rejected = work.put("paymentIntents", {
    ...intent,
    status: "requires_payment_method",
    paymentMethod: null,
    authenticated: false,
    nextAction: null,
    lastPaymentError: { ...error, paymentMethodId: method.id },
  });
  announceIntent(work, "payment_intent.payment_failed", rejected);
  return {
    intent: rejected,
    error: {
      ...error,
      payment_intent: renderPaymentIntent(work, rejected),
      payment_method: renderPaymentMethod(method),
    },
  };
}
