import type { z } from "zod";
import { declineOf } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { LookupAnswer, ProviderResponse } from "../connector.ts";
import { notSentAnswer } from "../not-sent.ts";
import { fromMollie, type WireAmount } from "./amounts.ts";
import { errorAnswer } from "./errors.ts";
import {
  captureList,
  captureObject,
  customerObject,
  parseJson,
  paymentList,
  paymentObject,
  referenceOf,
  refundList,
  refundObject,
} from "./objects.ts";
import { authorizeAnswer, closeAnswer } from "./payment-answers.ts";

/** What Mollie's answers mean for an operation. Whatever is not certainly something else is `unknown`. */
const unknown = (because: string): ProviderAnswer => ({ kind: "unknown", because });

function read<T>(schema: z.ZodType<T>, body: string): T | null {
  const parsed = schema.safeParse(parseJson(body));
  return parsed.success ? parsed.data : null;
}

/** What the answer to the operation's own request means. */
export function answer(
  operation: Operation,
  payment: Payment,
  response: ProviderResponse,
  first: boolean,
): ProviderAnswer {
  if (response.kind === "lost") return unknown(response.because);
  if (response.kind === "not_sent") return notSentAnswer(response, first);
  const { status, body } = response;
  if (status === 200 || status === 201) return actionAnswer(operation, payment, body);
  const closes = operation.kind === "void" || operation.kind === "expire";
  if (status === 202 && closes) {
    return { kind: "accepted", providerPayment: payment.providerPayment, providerOperation: null };
  }
  return errorAnswer(operation, status, parseJson(body), first);
}

function actionAnswer(operation: Operation, payment: Payment, body: string): ProviderAnswer {
  switch (operation.kind) {
    case "authorize": {
      const made = read(paymentObject, body);
      return made === null ? unknown("unreadable payment") : authorizeAnswer(operation, payment, made);
    }
    case "capture": {
      const made = read(captureObject, body);
      return made === null ? unknown("unreadable capture") : partAnswer(operation, payment, made);
    }
    case "refund": {
      const made = read(refundObject, body);
      return made === null ? unknown("unreadable refund") : partAnswer(operation, payment, made);
    }
    case "void":
    case "expire": {
      const ended = read(paymentObject, body);
      if (ended === null) return unknown("unreadable payment");
      const seen = closeAnswer(operation, payment, ended);
      return seen.kind === "absent" ? unknown(`the payment is ${ended.status} after its end`) : seen;
    }
    case "authenticate":
    case "increment":
      return unknown(`Mollie has no ${operation.kind}`);
  }
}

/** A capture or a refund. */
type Part = {
  readonly resource: "capture" | "refund";
  readonly id: string;
  readonly status: string;
  readonly amount: WireAmount;
  readonly paymentId: string;
  readonly metadata?: unknown;
};

/**
 * A refund that is `processing` has left, and may still come back: it is done when Mollie says `refunded`. One that the
 * payer's bank sent back is `failed`, and one that was called off in Mollie's dashboard `canceled`.
 */
function partAnswer(operation: Operation, payment: Payment, part: Part): ProviderAnswer {
  if (referenceOf(part) !== operation.reference) return unknown(`${part.id} has another reference`);
  if (part.paymentId !== payment.providerPayment) return unknown(`${part.id} is of another payment`);
  const providerPayment = part.paymentId;
  switch (`${part.resource} ${part.status}`) {
    case "capture succeeded":
    case "refund refunded": {
      const amount = fromMollie(part.amount, payment.amount.currency);
      if (amount === null) return unknown(`the amount is ${part.amount.value} ${part.amount.currency}`);
      const captured = part.resource === "capture";
      return { kind: "done", providerPayment, providerOperation: part.id, captured, amount, expiresAt: null };
    }
    case "capture pending":
    case "refund queued":
    case "refund pending":
    case "refund processing":
      return { kind: "accepted", providerPayment, providerOperation: part.id };
    case "capture failed":
      return { kind: "failed", decline: declineOf("provider_refused", "capture failed") };
    case "refund failed":
      return { kind: "failed", decline: declineOf("refund_returned", "failed") };
    case "refund canceled":
      return { kind: "failed", decline: declineOf("provider_refused", "canceled") };
    default:
      return unknown(`the ${part.resource} is ${part.status}`);
  }
}

/** What a look-up's answer means. `windowMs`: how long Mollie knows an idempotency key. */
export function found(
  operation: Operation,
  payment: Payment,
  response: ProviderResponse,
  windowMs: number,
): LookupAnswer {
  if (response.kind !== "http") return unknown(response.because);
  const { status, body } = response;
  if (status === 404 && isError(body)) return { kind: "absent" };
  if (status !== 200) return unknown(`HTTP ${status} to a look-up`);
  switch (operation.kind) {
    case "authorize":
      return foundPayment(operation, payment, response, windowMs);
    case "void":
    case "expire": {
      const seen = read(paymentObject, body);
      return seen === null ? unknown("unreadable payment") : closeAnswer(operation, payment, seen);
    }
    case "capture": {
      const list = read(captureList, body);
      return list === null
        ? unknown("unreadable captures")
        : among(operation, payment, list._embedded.captures, list);
    }
    case "refund": {
      const list = read(refundList, body);
      return list === null
        ? unknown("unreadable refunds")
        : among(operation, payment, list._embedded.refunds, list);
    }
    case "authenticate":
    case "increment":
      return unknown(`Mollie has no ${operation.kind}`);
  }
}

const isError = (body: string): boolean => (parseJson(body) as { status?: unknown } | null)?.status === 404;

type Paged = { readonly _links: { readonly next?: { readonly href: string } | null | undefined } };
const isWhole = ({ _links }: Paged): boolean => !_links.next;

function among(operation: Operation, payment: Payment, parts: readonly Part[], list: Paged): LookupAnswer {
  const own = parts.find((part) => referenceOf(part) === operation.reference);
  if (own !== undefined) return partAnswer(operation, payment, own);
  return isWhole(list) ? { kind: "absent" } : unknown("there are more than fit on a page");
}

/** How far Mollie's clock may be from ours, in ms. */
const SKEW_MS = 5 * 60_000;

function foundPayment(
  operation: Operation,
  payment: Payment,
  { body, headers }: Extract<ProviderResponse, { kind: "http" }>,
  windowMs: number,
): LookupAnswer {
  const one = read(paymentObject, body);
  if (one !== null) return authorizeAnswer(operation, payment, one);
  const list = read(paymentList, body);
  if (list === null) return unknown("unreadable payments");
  const { payments } = list._embedded;
  const own = payments.filter((item) => referenceOf(item) === operation.reference);
  if (own.length > 1) return unknown(`${own.length} payments carry one reference: a person must look`);
  const [made] = own;
  if (made !== undefined) return authorizeAnswer(operation, payment, made);
  // Newest first: whoever reaches back to before the claim has seen all that could be ours.
  const claimedAt = operation.claimedAt.getTime();
  const reached = payments.some(({ createdAt }) => Date.parse(createdAt) < claimedAt - SKEW_MS);
  if (isWhole(list) || reached) return { kind: "absent" };
  // The page ends too early to tell. While Mollie knows the key, a replay tells; after that nothing here may prove absence.
  const now = Date.parse(headers.get("date") ?? "");
  return now + SKEW_MS < claimedAt + windowMs
    ? { kind: "absent" }
    : unknown("too many payments since to see all");
}

/** The id of a customer that was created, or null. */
export function createdCustomer(response: ProviderResponse): string | null {
  if (response.kind !== "http" || response.status !== 201) return null;
  return read(customerObject, response.body)?.id ?? null;
}
