import { declineOf } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { LookupAnswer, ProviderResponse } from "../connector.ts";
import { notSentAnswer } from "../not-sent.ts";
import { declineDetails } from "./details.ts";
import { declineFor, refusalFor } from "./errors.ts";
import { authorization, captureOf, incrementOf, refundAnswer, release, unknown } from "./intents.ts";
import { errorBody, type Intent, intentObject, listOf, read, refundObject } from "./objects.ts";
import { REFERENCE_FIELD } from "./requests.ts";

/**
 * What Stripe's answers mean for an operation. Whatever is not certainly done, declined or refused is
 * `unknown`: 5xx, 409, 429, an idempotency mismatch, a body that cannot be read, a state that was not asked for.
 */
export function answer(
  operation: Operation,
  payment: Payment,
  response: ProviderResponse,
  first: boolean,
): ProviderAnswer {
  if (response.kind === "lost") return unknown(response.because);
  if (response.kind === "not_sent") return notSentAnswer(response, first);
  const { status, body } = response;
  if (status !== 200) return errorAnswer(operation, payment, { status, body }, first);
  if (operation.kind === "refund") {
    const refund = read(refundObject, body);
    return refund === null ? unknown("unreadable refund") : refundAnswer(refund, payment);
  }
  const intent = read(intentObject, body);
  if (intent === null) return unknown("unreadable payment intent");
  return onIntent(operation, payment, intent) ?? unknown(`the intent shows no ${operation.kind}`);
}

/** Null: the intent does not show that the operation happened. */
function onIntent(operation: Operation, payment: Payment, intent: Intent): ProviderAnswer | null {
  switch (operation.kind) {
    case "authorize":
      return authorization(payment, intent);
    case "capture":
      return captureOf(operation, payment, intent);
    case "increment":
      return incrementOf(operation, payment, intent);
    case "void":
    case "expire":
      return release(operation, payment, intent);
    case "refund":
    case "authenticate":
      return unknown(`a payment intent in answer to ${operation.kind}`);
  }
}

function errorAnswer(
  operation: Operation,
  payment: Payment,
  { status, body }: { readonly status: number; readonly body: string },
  first: boolean,
): ProviderAnswer {
  const parsed = read(errorBody, body);
  if (parsed === null) return unknown(`HTTP ${status} without an error object`);
  const { error } = parsed;
  const { type, code, payment_intent: intent } = error;
  if (status === 402 && type === "card_error") {
    const details = declineDetails(error);
    return { kind: "declined", decline: declineFor(error), providerPayment: intent?.id ?? null, details };
  }
  if ((status === 400 || status === 404) && type === "invalid_request_error") {
    if (code === "payment_intent_unexpected_state" && isRelease(operation) && intent) {
      const released = release(operation, payment, intent);
      if (released?.kind === "done") return released;
    }
    const shown = leavesMark(operation) && intent ? onIntent(operation, payment, intent) : null;
    if (shown?.kind === "done") return shown;
    // Refused again, and no earlier copy has left its mark on the intent: that is as definite as a first refusal.
    const unmarked = leavesMark(operation) && (intent ?? null) !== null && shown === null;
    const decline = refusalFor(operation.kind, error, first || unmarked);
    if (decline !== null) return { kind: "failed", decline };
  }
  if ((status === 401 || status === 403) && first) {
    return { kind: "failed", decline: declineOf("provider_refused", `http_${status}`) };
  }
  return unknown(`HTTP ${status} ${error.decline_code ?? code ?? type}`);
}

const leavesMark = ({ kind }: Operation): boolean => kind === "capture" || kind === "increment";
const isRelease = ({ kind }: Operation): boolean => kind === "void" || kind === "expire";

/** What a look-up's answer means. */
export function found(operation: Operation, payment: Payment, response: ProviderResponse): LookupAnswer {
  if (response.kind !== "http") return unknown(response.because);
  const { status, body } = response;
  if (status !== 200) return unknown(`HTTP ${status} to a look-up`);
  if (operation.kind === "refund") return foundRefund(operation, payment, body);
  const intent = read(intentObject, body);
  if (intent === null) {
    if (operation.kind === "authorize") return foundAuthorization(operation, payment, body);
    return unknown("unreadable payment intent");
  }
  if (operation.kind === "authorize" && intent.metadata?.[REFERENCE_FIELD] !== operation.reference)
    return unknown("the intent carries another reference");
  const seen = onIntent(operation, payment, intent);
  if (seen !== null) return seen;
  // A closed intent takes no more captures and increments: what has not happened by now does not happen.
  if (intent.status === "canceled" && leavesMark(operation))
    return { kind: "failed", decline: declineOf("authorization_expired", intent.status) };
  if (intent.status === "succeeded" && operation.kind === "increment")
    return { kind: "failed", decline: declineOf("provider_refused", intent.status) };
  return intent.status === "requires_capture"
    ? { kind: "absent" }
    : unknown(`the intent is ${intent.status}`);
}

function foundAuthorization(operation: Operation, payment: Payment, body: string): LookupAnswer {
  const list = read(listOf(intentObject), body);
  if (list === null) return unknown("unreadable search result");
  const own = list.data.filter((item) => item.metadata?.[REFERENCE_FIELD] === operation.reference);
  if (own.length > 1) return unknown(`${own.length} intents carry one reference: a person must look`);
  const [intent] = own;
  return intent === undefined ? { kind: "absent" } : authorization(payment, intent);
}

/** By its own id it is one refund; without, a page of the payment's, which must be all of them to prove anything. */
function foundRefund(operation: Operation, payment: Payment, body: string): LookupAnswer {
  const one = read(refundObject, body);
  if (one !== null) {
    const isOwn = one.id === operation.providerOperation;
    return isOwn ? refundAnswer(one, payment) : unknown("another refund");
  }
  const list = read(listOf(refundObject), body);
  if (list === null) return unknown("unreadable list of refunds");
  const own = list.data.find((item) => item.metadata?.[REFERENCE_FIELD] === operation.reference);
  if (own !== undefined) return refundAnswer(own, payment);
  return list.has_more === true ? unknown("there are more refunds than are shown") : { kind: "absent" };
}
