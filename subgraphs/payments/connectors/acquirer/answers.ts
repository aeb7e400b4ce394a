import { z } from "zod";
import { declineOf } from "../../domain/decline.ts";
import type { AnswerDetails, CheckResult, Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { LookupAnswer, ProviderResponse } from "../connector.ts";
import { notSentAnswer } from "../not-sent.ts";
import { CURRENCY_NUMBERS } from "./currency-numbers.ts";
import { declined, notExecuted, refused } from "./errors.ts";
import { reversalReference } from "./requests.ts";

/**
 * What the acquirer's answers mean. An answer counts only if it is the answer to this very message: type, reference,
 * currency and amount are as asked; all else is `unknown`.
 */
const responseMessage = z.object({
  mti: z.string(),
  reference: z.string(),
  responseCode: z.string().regex(/^[A-Z0-9]{2}$/),
  amount: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
  currency: z.string().optional(),
  retrievalReference: z.string().min(1).optional(),
  approvalCode: z.string().optional(),
  cvcResult: z.string().optional(),
  addressResult: z.string().optional(),
  ecommerceIndicator: z.string().optional(),
  funding: z.string().optional(),
  issuerCountry: z.string().optional(),
  networkTransactionId: z.string().optional(),
  authorizationExpires: z.iso.datetime().optional(),
  status: z.enum(["approved", "in_progress", "declined", "reversed", "returned"]).optional(),
});
type ResponseMessage = z.infer<typeof responseMessage>;

const errorBody = z.object({ error: z.object({ code: z.string() }) });

const unknown = (because: string): Extract<ProviderAnswer, { kind: "unknown" }> => ({
  kind: "unknown",
  because,
});

function parse<T>(schema: z.ZodType<T>, body: string): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** What the answer to the operation's own message (or, for a void, to the reversal in its place) means. */
export function answer(
  operation: Operation,
  payment: Payment,
  response: ProviderResponse,
  first: boolean,
): ProviderAnswer {
  if (response.kind === "lost") return unknown(response.because);
  if (response.kind === "not_sent") return notSentAnswer(response, first);
  const { status, body } = response;
  if (status !== 200) {
    const code = parse(errorBody, body)?.error.code ?? "";
    // A replay that is refused says nothing of the first one.
    if (!first || !notExecuted(status, code)) return unknown(`HTTP ${status} ${code}`);
    return { kind: "failed", decline: declineOf("provider_refused", code) };
  }
  const read = parse(responseMessage, body);
  return read === null ? unknown("unreadable response message") : meaning(operation, payment, read);
}

/** What a look-up's answer means. */
export function found(operation: Operation, payment: Payment, response: ProviderResponse): LookupAnswer {
  if (response.kind !== "http") return unknown(response.because);
  const { status, body } = response;
  if (status === 404 && parse(errorBody, body)?.error.code === "unknown_reference") return { kind: "absent" };
  if (status !== 200) return unknown(`HTTP ${status} to a look-up`);
  const read = parse(responseMessage, body);
  if (read === null || read.reference !== operation.reference) return unknown("unreadable response message");
  if (read.status === "reversed" && operation.kind === "authorize") return neverHappened(read);
  if (read.status === "returned")
    return { kind: "failed", decline: declineOf("refund_returned", read.responseCode) };
  return meaning(operation, payment, read);
}

/** The authorization was undone, and its reference burnt: it moves nothing any more. */
const neverHappened = ({ responseCode }: ResponseMessage): ProviderAnswer => ({
  kind: "failed",
  decline: declineOf("not_at_provider", responseCode),
});

/** The type of answer that an operation has. */
function answerTypes({ kind }: Operation, { captureMethod }: Payment): readonly string[] {
  switch (kind) {
    case "authorize":
      return [captureMethod === "manual" ? "0110" : "0210"];
    case "increment":
      return ["0110"];
    case "capture":
      return ["0230"];
    case "refund":
      return ["0210"];
    case "void":
    case "expire":
      return ["0430", "0410"];
    case "authenticate":
      return [];
  }
}

function meaning(operation: Operation, payment: Payment, read: ResponseMessage): ProviderAnswer {
  const { responseCode: code } = read;
  const isReversal = read.mti === "0410";
  const reference = isReversal ? reversalReference(operation.reference) : operation.reference;
  // A message that was burnt before it came is answered as an authorization, whatever it was.
  const burnt = code === "79" && operation.kind === "authorize";
  if (read.reference !== reference) return unknown("the answer to another message");
  if (!burnt && !answerTypes(operation, payment).includes(read.mti))
    return unknown(`an answer of type ${read.mti}`);
  if (code === "00") return approved(operation, payment, read);
  if (code === "09" && operation.kind === "refund") {
    const { retrievalReference: providerOperation = null } = read;
    return { kind: "accepted", providerPayment: payment.providerPayment, providerOperation };
  }
  if (code === "79" || code === "Q1") return nothingHeld(operation, payment, read);
  const details = detailsOf(read);
  const no = declined(code);
  if (no !== null) return { kind: "declined", decline: no, providerPayment: null, details };
  const refusal = refused(code);
  return refusal === null ? unknown(`response code ${code}`) : { kind: "failed", decline: refusal, details };
}

function approved(operation: Operation, payment: Payment, read: ResponseMessage): ProviderAnswer {
  const { kind, amount: asked } = operation;
  const details = detailsOf(read);
  const providerPayment = kind === "authorize" ? read.retrievalReference : payment.providerPayment;
  if (kind === "void" || kind === "expire") {
    return {
      kind: "done",
      providerPayment: providerPayment ?? operation.reference,
      captured: false,
      amount: asked,
      expiresAt: null,
      details,
    };
  }
  if (!providerPayment) return unknown("approved without a retrieval reference");
  const amount = BigInt(read.amount ?? -1);
  if (amount !== asked) return unknown(`approved ${amount}, asked ${asked}`);
  if (read.currency !== CURRENCY_NUMBERS[payment.amount.currency])
    return unknown("approved in another currency");
  const captured = kind === "capture" || (kind === "authorize" && payment.captureMethod === "automatic");
  return {
    kind: "done",
    providerPayment,
    providerOperation: kind === "refund" ? (read.retrievalReference ?? null) : null,
    captured,
    amount,
    expiresAt: read.authorizationExpires === undefined ? null : new Date(read.authorizationExpires),
    details,
  };
}

/** 79 and Q1: of the original nothing is held (any more), which is all that a void wants. */
function nothingHeld(operation: Operation, payment: Payment, read: ResponseMessage): ProviderAnswer {
  if (operation.kind === "authorize") return neverHappened(read);
  if (operation.kind !== "void" && operation.kind !== "expire") {
    return { kind: "failed", decline: declineOf("authorization_expired", read.responseCode) };
  }
  const providerPayment = payment.providerPayment ?? operation.reference;
  return {
    kind: "done",
    providerPayment,
    captured: false,
    amount: operation.amount,
    expiresAt: null,
    details: detailsOf(read),
  };
}

const CVC: Readonly<Record<string, CheckResult>> = {
  M: "match",
  N: "no_match",
  P: "unchecked",
  U: "unavailable",
};
const ADDRESS: Readonly<Record<string, readonly [address: CheckResult, postalCode: CheckResult]>> = {
  Y: ["match", "match"],
  A: ["match", "no_match"],
  Z: ["no_match", "match"],
  N: ["no_match", "no_match"],
  U: ["unavailable", "unavailable"],
};
const FUNDING: Readonly<Record<string, "credit" | "debit" | "prepaid">> = {
  C: "credit",
  D: "debit",
  P: "prepaid",
};
/** Full and attempted authentication, Visa's and the others' first, then Mastercard's. */
const SHIFTS_LIABILITY = ["05", "06", "02", "01"];

function detailsOf(read: ResponseMessage): AnswerDetails {
  const [address, postalCode] = ADDRESS[read.addressResult ?? ""] ?? [];
  const eci = read.ecommerceIndicator ?? null;
  return {
    rawCode: read.responseCode,
    authorizationCode: read.approvalCode ?? null,
    networkTransactionId: read.networkTransactionId ?? null,
    avs: address === undefined || postalCode === undefined ? null : { address, postalCode },
    cvc: CVC[read.cvcResult ?? ""] ?? null,
    eci,
    liabilityShift: eci === null ? null : SHIFTS_LIABILITY.includes(eci),
    funding: read.funding === undefined ? null : (FUNDING[read.funding] ?? "unknown"),
    issuerCountry: read.issuerCountry ?? null,
    providerFee: null,
  };
}
