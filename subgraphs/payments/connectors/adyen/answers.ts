import { z } from "zod";
import type { Currency } from "../../../kernel/currency.ts";
import { type Decline, declineOf } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { ProviderResponse } from "../connector.ts";
import { notSentAnswer } from "../not-sent.ts";
import { fromAdyen } from "./amounts.ts";
import { detailsOf } from "./details.ts";
import { errorMeaning, refusalCode } from "./errors.ts";

/**
 * What Adyen's answers mean for an operation. A payment is decided in its answer; a modification is only taken there
 * (`accepted`), and decided by a webhook. Whatever is not certainly one of them is `unknown`: 5xx (with or without a
 * pspReference), 429, an error with `transient-error: true`, 703, 704, errors that are in no table, a body that cannot be
 * read, and an answer that speaks of another reference than ours.
 */
const amount = z.object({ value: z.int().nonnegative(), currency: z.string() });
const paymentResponse = z.object({
  resultCode: z.string(),
  pspReference: z.string().min(1).max(64).optional(),
  merchantReference: z.string().optional(),
  amount: amount.optional(),
  refusalReason: z.string().optional(),
  refusalReasonCode: z.string().optional(),
  additionalData: z.record(z.string(), z.string()).optional(),
  action: z
    .object({ type: z.string(), url: z.string().optional(), method: z.string().optional() })
    .optional(),
});
const modificationResponse = z.object({
  status: z.string(),
  pspReference: z.string().min(1).max(64),
  paymentPspReference: z.string().optional(),
  paymentReference: z.string().optional(),
  reference: z.string().optional(),
});
const serviceError = z.object({
  errorCode: z.string(),
  errorType: z.string(),
  message: z.string().optional(),
});

type PaymentResponse = z.infer<typeof paymentResponse>;

export const unknown = (because: string): ProviderAnswer => ({ kind: "unknown", because });

function parse<T>(schema: z.ZodType<T>, body: string): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
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
  if (operation.kind === "authorize" && status === 200) {
    const read = parse(paymentResponse, body);
    return read === null ? unknown("unreadable payment") : paymentAnswer(operation, payment, read);
  }
  if (operation.kind !== "authorize" && status === 201) return modificationAnswer(operation, payment, body);
  return errorAnswer(response, first);
}

function errorAnswer(
  { status, headers, body }: Extract<ProviderResponse, { kind: "http" }>,
  first: boolean,
): ProviderAnswer {
  const error = parse(serviceError, body);
  if (error === null) return unknown(`HTTP ${status} without Adyen's error`);
  const { errorCode } = error;
  const meaning = headers.get("transient-error") === "true" ? null : errorMeaning(status, errorCode, first);
  if (meaning === null) return unknown(`HTTP ${status} ${errorCode}`);
  return { kind: "failed", decline: declineOf(meaning, errorCode) };
}

function paymentAnswer(operation: Operation, payment: Payment, read: PaymentResponse): ProviderAnswer {
  const { resultCode, pspReference = null, merchantReference } = read;
  if (merchantReference !== undefined && merchantReference !== operation.reference) {
    return unknown("the answer is about another payment");
  }
  switch (resultCode) {
    case "Authorised":
      return authorised(operation, payment, read);
    case "Refused":
    case "Cancelled":
    // "A final state" by the documentation: what is in it is captured neither by us nor by Adyen.
    case "Error": {
      const { refusalReasonCode = "2", additionalData = {} } = read;
      const decline = refusalOf(resultCode, refusalReasonCode, additionalData["refusalReasonRaw"]);
      const details = detailsOf(additionalData, decline.providerCode ?? resultCode);
      return { kind: "declined", decline, providerPayment: pspReference, details };
    }
    case "Pending":
    case "Received":
      return { kind: "accepted", providerPayment: pspReference, providerOperation: null };
    case "RedirectShopper":
      return redirectTo(read);
    default:
      // Native 3-D Secure and vouchers, which we never ask for, and PartiallyAuthorised, which we never allow.
      return unknown(`the result is ${resultCode}`);
  }
}

/** A refusal in our words; the raw code is kept as "Refused:2". */
export function refusalOf(resultCode: string, refusalReasonCode: string, raw: string | undefined): Decline {
  const code = refusalCode(refusalReasonCode, raw);
  const unspecificError = resultCode === "Error" && code === "generic_decline";
  return declineOf(unspecificError ? "processing_error" : code, `${resultCode}:${refusalReasonCode}`);
}

function authorised(operation: Operation, payment: Payment, read: PaymentResponse): ProviderAnswer {
  if (read.pspReference === undefined) return unknown("authorised, but without a pspReference");
  const told = read.amount === undefined ? operation.amount : minorOf(read.amount, payment.amount.currency);
  if (told === null) return unknown("authorised in another currency");
  const captured = payment.captureMethod === "automatic";
  return {
    kind: "done",
    providerPayment: read.pspReference,
    captured,
    amount: told,
    expiresAt: captured ? null : expiryOf(operation, payment),
    details: detailsOf(read.additionalData ?? {}, "Authorised"),
  };
}

/** Minor units of ours; null for another currency or a fraction. */
export function minorOf({ value, currency }: z.infer<typeof amount>, expected: Currency): bigint | null {
  return currency === expected ? (fromAdyen(BigInt(value), expected)?.minor ?? null) : null;
}

/**
 * Days for which an authorization can be captured, by the schemes' rules for payments without the card present
 * (docs.adyen.com/online-payments/adjust-authorisation); Mastercard's for pre-authorizations. Adyen does not tell it.
 */
const VALID_DAYS: Readonly<Record<string, number>> = { visa: 10, mastercard: 30, amex: 7, discover: 10 };
const DEFAULT_VALID_DAYS = 7;
const DAY_MS = 86_400_000;

/** Counted from the claim: not later than the bank counts. */
export function expiryOf({ claimedAt }: Operation, { terms }: Payment): Date {
  return new Date(claimedAt.getTime() + (VALID_DAYS[terms.card.brand] ?? DEFAULT_VALID_DAYS) * DAY_MS);
}

function redirectTo({ pspReference, action }: PaymentResponse): ProviderAnswer {
  const { url = "", method = "GET" } = action ?? {};
  const plain = action?.type === "redirect" && method === "GET" && /^https?:\/\//.test(url);
  if (pspReference === undefined || !plain) return unknown("a redirect that cannot be followed");
  return { kind: "requires_action", providerPayment: pspReference, action: { type: "redirect", url } };
}

function modificationAnswer(operation: Operation, payment: Payment, body: string): ProviderAnswer {
  const read = parse(modificationResponse, body);
  if (read === null) return unknown("unreadable modification");
  const { pspReference, paymentPspReference, reference, status } = read;
  const otherPayment = paymentPspReference !== undefined && paymentPspReference !== payment.providerPayment;
  if (otherPayment || (reference !== undefined && reference !== operation.reference)) {
    return unknown("the answer is about another modification");
  }
  // `authorised` and `refused` would be the answers to a synchronous adjustment, which we do not ask for.
  if (status !== "received") return unknown(`the modification is ${status}`);
  return { kind: "accepted", providerPayment: payment.providerPayment, providerOperation: pspReference };
}
