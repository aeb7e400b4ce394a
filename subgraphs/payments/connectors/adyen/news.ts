import { type Decline, type DeclineCode, declineOf } from "../../domain/decline.ts";
import type { Operation, OperationKind, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { WebhookAnswer } from "../connector.ts";
import { expiryOf, minorOf, refusalOf, unknown } from "./answers.ts";
import { type AdditionalData, detailsOf } from "./details.ts";
import { refusalNamed } from "./errors.ts";
import { entryOf } from "./tables.ts";

/**
 * What a genuine notification means for an operation, in whatever order notifications come. Adyen answers a modification
 * twice over: CAPTURE and REFUND say whether it was sent to the scheme; CAPTURE_FAILED, REFUND_FAILED and REFUNDED_REVERSED
 * say, hours or days later, that it came back. If the later news is heard first, it is the truth that stays.
 */
export type News = {
  readonly eventCode: string;
  readonly success: boolean;
  readonly pspReference: string;
  /** The payment's pspReference, for what happened to a payment. */
  readonly originalReference: string | null;
  readonly amount: { readonly value: number; readonly currency: string };
  readonly reason: string;
  readonly additionalData: AdditionalData;
  /** Adyen has repeated a capture that the scheme had rejected. */
  readonly recaptured: boolean;
};

const KINDS: Readonly<Record<string, OperationKind>> = {
  AUTHORISATION: "authorize",
  AUTHORISATION_ADJUSTMENT: "increment",
  CAPTURE: "capture",
  CAPTURE_FAILED: "capture",
  CANCELLATION: "void",
  REFUND: "refund",
  REFUND_FAILED: "refund",
  REFUNDED_REVERSED: "refund",
};

/** Null for news about the payment as a whole, and for what we never ask for. */
export const operationKindOf = (eventCode: string): OperationKind | null => entryOf(KINDS, eventCode) ?? null;

const NOTHING: WebhookAnswer = { kind: "nothing" };

export function newsMeaning(news: News, operation: Operation, payment: Payment): WebhookAnswer {
  if (news.eventCode === "TECHNICAL_CANCEL") return calledOff(news, operation, payment);
  if (news.eventCode === "CAPTURE_FAILED" && isSale(operation, payment)) return cameBack(news, operation);
  if (operationKindOf(news.eventCode) !== (operation.kind === "expire" ? "void" : operation.kind))
    return NOTHING;
  switch (news.eventCode) {
    case "AUTHORISATION":
      return authorisation(news, operation, payment);
    case "AUTHORISATION_ADJUSTMENT":
      return news.success ? adjusted(news, operation, payment) : notDone(news, adjustmentDecline(news));
    case "CANCELLATION":
      return news.success ? done(news, payment, operation.amount) : notDone(news);
    case "CAPTURE":
    case "REFUND":
      return news.success ? moved(news, operation, payment) : notDone(news);
    default:
      return cameBack(news, operation);
  }
}

/** Authorized and captured at once: its capture has no operation of its own. */
const isSale = (operation: Operation, payment: Payment): boolean =>
  operation.kind === "authorize" && payment.captureMethod === "automatic";

function authorisation(news: News, operation: Operation, payment: Payment): WebhookAnswer {
  const { success, pspReference, additionalData, reason } = news;
  const settled = operation.state === "succeeded";
  if (!success) {
    // What was authorized in the answer does not become undone by this.
    if (settled) return NOTHING;
    const decline = refusalOf("Refused", refusalNamed(reason), additionalData["refusalReasonRaw"]);
    const details = detailsOf(additionalData, decline.providerCode ?? "Refused");
    return { kind: "declined", decline, providerPayment: pspReference, details };
  }
  if (settled && payment.providerPayment !== null && payment.providerPayment !== pspReference) {
    return unknown(`a second authorisation under one reference: ${pspReference}`);
  }
  const captured = payment.captureMethod === "automatic";
  const expiresAt = captured ? null : expiryOf(operation, payment);
  const answer = done(news, payment, null, pspReference);
  return answer.kind === "done"
    ? { ...answer, captured, expiresAt, details: detailsOf(additionalData, "Authorised") }
    : answer;
}

/** Adyen tells the new total; what was asked for is in the request while it is kept. */
function adjusted(news: News, operation: Operation, payment: Payment): WebhookAnswer {
  const told = minorOf(news.amount, payment.amount.currency);
  const asked = totalAskedFor(operation, payment);
  if (told === null || (asked !== null && told !== asked && told !== operation.amount)) {
    return unknown(`adjusted to another amount than was asked for: ${news.amount.value}`);
  }
  return done(news, payment, operation.amount);
}

function totalAskedFor({ request }: Operation, payment: Payment): bigint | null {
  const body = request?.body ?? null;
  if (body === null) return null;
  const { amount } = JSON.parse(body) as { amount?: News["amount"] };
  return amount === undefined ? null : minorOf(amount, payment.amount.currency);
}

function adjustmentDecline({ reason }: News): Decline {
  const code = refusalNamed(reason);
  return refusalOf("Refused", code, undefined);
}

/** A capture or refund is on its way to the scheme. */
function moved(news: News, operation: Operation, payment: Payment): WebhookAnswer {
  const { state, failure } = operation;
  if (state === "succeeded") return NOTHING;
  // The news that it came back has overtaken this; only Adyen's own repetition makes it good again.
  const cameBackBefore =
    state === "reversed" || CAME_BACK.some((code) => failure?.providerCode?.startsWith(code));
  if (cameBackBefore && !news.recaptured) return NOTHING;
  return done(news, payment, null);
}

const CAME_BACK = ["CAPTURE_FAILED", "REFUND_FAILED", "REFUNDED_REVERSED"];

/** One of CAME_BACK: `success` only says that this news is true. */
function cameBack(news: News, operation: Operation): WebhookAnswer {
  if (!news.success) return NOTHING;
  const refund = operation.kind === "refund";
  const decline = declineOf(refund ? "refund_returned" : "provider_refused", wordsOf(news));
  switch (operation.state) {
    case "succeeded":
      return { kind: "reversed", decline };
    case "claimed":
    case "requires_action":
      return { kind: "failed", decline };
    default:
      return NOTHING;
  }
}

/** Cancelled by our reference: told under the authorization's own. */
function calledOff(news: News, operation: Operation, payment: Payment): WebhookAnswer {
  const open = operation.state === "claimed" || operation.state === "requires_action";
  if (operation.kind === "void" || operation.kind === "expire") {
    if (!open) return NOTHING;
    return news.success ? done(news, payment, operation.amount) : notDone(news);
  }
  if (operation.kind !== "authorize" || !open || !news.success) return NOTHING;
  return { kind: "failed", decline: declineOf("payer_absent", wordsOf(news)) };
}

/** `amount` null: what the news says. The payment must be the one that we know. */
function done(
  news: News,
  payment: Payment,
  amount: bigint | null,
  providerPayment = news.originalReference ?? payment.providerPayment,
): ProviderAnswer {
  const told = amount ?? minorOf(news.amount, payment.amount.currency);
  if (told === null) return unknown(`told in ${news.amount.currency}`);
  if (providerPayment === null) return unknown("told of a payment without its pspReference");
  const { originalReference, eventCode, pspReference } = news;
  const known = payment.providerPayment;
  if (originalReference !== null && known !== null && originalReference !== known) {
    return unknown(`told of another payment: ${originalReference}`);
  }
  return {
    kind: "done",
    providerPayment,
    ...(originalReference === null ? {} : { providerOperation: pspReference }),
    captured: eventCode === "CAPTURE",
    amount: told,
    expiresAt: null,
  };
}

function notDone(
  news: News,
  decline: Decline = declineOf(failureCode(news.reason), wordsOf(news)),
): WebhookAnswer {
  return { kind: "failed", decline };
}

/** Reasons of modifications are prose; these are the documented ones that say more than no. */
function failureCode(reason: string): DeclineCode {
  return /expired/i.test(reason) ? "authorization_expired" : "provider_refused";
}

const MAX_WORDS = 120;
const wordsOf = ({ eventCode, reason }: News): string => `${eventCode}:${reason}`.slice(0, MAX_WORDS);
