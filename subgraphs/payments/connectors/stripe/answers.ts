import { z } from "zod";
import { declineOf } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { LookupAnswer, ProviderResponse } from "../connector.ts";
import { fromStripe } from "./amounts.ts";
import { declineCode, refusal } from "./errors.ts";
import { REFERENCE_FIELD } from "./requests.ts";

/**
 * What Stripe's answers mean for an operation. Whatever is not certainly done, declined or refused is
 * `unknown`: 5xx, 409, 429, an idempotency mismatch, a body that cannot be read, a state that was not asked for.
 */
const stripeError = z.object({
  type: z.string(),
  code: z.string().optional(),
  decline_code: z.string().optional(),
  message: z.string().optional(),
  payment_intent: z.object({ id: z.string() }).optional(),
});
const charge = z.object({
  payment_method_details: z
    .object({ card: z.object({ capture_before: z.int().nullish() }).nullish() })
    .nullish(),
});
const intent = z.object({
  object: z.literal("payment_intent"),
  id: z.string(),
  status: z.string(),
  amount: z.int(),
  amount_received: z.int(),
  amount_capturable: z.int(),
  latest_charge: z.union([z.string(), charge]).nullish(),
  last_payment_error: stripeError.nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
const refundObject = z.object({
  object: z.literal("refund"),
  id: z.string(),
  status: z.string().nullish(),
  amount: z.int(),
  failure_reason: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
const errorBody = z.object({ error: stripeError });
const listOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item) });

type Intent = z.infer<typeof intent>;
type Refund = z.infer<typeof refundObject>;

const unknown = (because: string): ProviderAnswer => ({ kind: "unknown", because });

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
  if (response.kind === "not_sent") {
    if (!first) return unknown(response.because);
    return { kind: "failed", decline: declineOf("provider_refused", response.code) };
  }
  if (response.status !== 200) return errorAnswer(response.status, response.body, first);
  if (operation.kind === "refund") {
    const refund = parse(refundObject, response.body);
    return refund === null ? unknown("unreadable refund") : refundAnswer(refund, payment);
  }
  const read = parse(intent, response.body);
  if (read === null) return unknown("unreadable payment intent");
  return intentAnswer(operation, payment, read);
}

function errorAnswer(status: number, body: string, first: boolean): ProviderAnswer {
  const parsed = parse(errorBody, body);
  if (parsed === null) return unknown(`HTTP ${status} without an error object`);
  const { type, code, decline_code: detail, payment_intent } = parsed.error;
  const providerCode = detail ?? code ?? type;
  if (status === 402 && type === "card_error") {
    const decline = declineOf(declineCode(code, detail), providerCode);
    return { kind: "declined", decline, providerPayment: payment_intent?.id ?? null };
  }
  if ((status === 400 || status === 404) && type === "invalid_request_error") {
    const refused = refusal(code, first);
    if (refused !== null) return { kind: "failed", decline: declineOf(refused, providerCode) };
    // Without a code it is a parameter that Stripe does not take: nothing was done by this request.
    if (code === undefined && first) return { kind: "failed", decline: declineOf("provider_refused", type) };
  }
  if ((status === 401 || status === 403) && first) {
    return { kind: "failed", decline: declineOf("provider_refused", `http_${status}`) };
  }
  return unknown(`HTTP ${status} ${providerCode}`);
}

function captureBefore(read: Intent): Date | null {
  if (typeof read.latest_charge !== "object" || read.latest_charge === null) return null;
  const seconds = read.latest_charge.payment_method_details?.card?.capture_before;
  return typeof seconds === "number" ? new Date(seconds * 1000) : null;
}

function intentAnswer(operation: Operation, payment: Payment, read: Intent): ProviderAnswer {
  switch (operation.kind) {
    case "authorize":
      return authorizeAnswer(payment, read);
    case "capture":
      return captureAnswer(operation, payment, read);
    case "void":
    case "expire":
      return read.status === "canceled"
        ? {
            kind: "done",
            providerPayment: read.id,
            captured: false,
            amount: operation.amount,
            expiresAt: null,
          }
        : unknown(`the intent is ${read.status} after a cancel`);
    case "refund":
      return unknown("a payment intent in place of a refund");
  }
}

function authorizeAnswer(payment: Payment, read: Intent): ProviderAnswer {
  const { currency } = payment.amount;
  const done = (captured: boolean, units: number): ProviderAnswer => ({
    kind: "done",
    providerPayment: read.id,
    captured,
    amount: fromStripe(BigInt(units), currency).minor,
    expiresAt: captured ? null : captureBefore(read),
  });
  switch (read.status) {
    case "succeeded":
      return done(true, read.amount_received);
    case "requires_capture":
      return done(false, read.amount_capturable);
    case "requires_payment_method": {
      const error = read.last_payment_error;
      if (!error) return unknown("the intent has no payment method and no error");
      const decline = declineOf(
        declineCode(error.code, error.decline_code),
        error.decline_code ?? error.code ?? null,
      );
      return { kind: "declined", decline, providerPayment: read.id };
    }
    default:
      return unknown(`the intent is ${read.status}`);
  }
}

function captureAnswer(operation: Operation, payment: Payment, read: Intent): ProviderAnswer {
  if (read.status !== "succeeded" && read.status !== "requires_capture") {
    return unknown(`the intent is ${read.status} after a capture`);
  }
  const received = fromStripe(BigInt(read.amount_received), payment.amount.currency).minor;
  // What Stripe tells is the total; with no other capture in flight, this one's part is exact.
  const alone = payment.capturing === operation.amount;
  const part = alone ? received - payment.captured : operation.amount;
  if (received < payment.captured + operation.amount && !alone)
    return unknown("less was captured than was asked");
  return { kind: "done", providerPayment: read.id, captured: true, amount: part, expiresAt: null };
}

function refundAnswer(refund: Refund, payment: Payment): ProviderAnswer {
  switch (refund.status) {
    case "succeeded": {
      const { minor } = fromStripe(BigInt(refund.amount), payment.amount.currency);
      const providerPayment = payment.providerPayment ?? refund.id;
      return { kind: "done", providerPayment, captured: false, amount: minor, expiresAt: null };
    }
    case "failed":
    case "canceled":
      return {
        kind: "failed",
        decline: declineOf("provider_refused", refund.failure_reason ?? refund.status),
      };
    default:
      return unknown(`the refund is ${refund.status ?? "without a status"}`);
  }
}

/** What a look-up's answer means. */
export function found(operation: Operation, payment: Payment, response: ProviderResponse): LookupAnswer {
  if (response.kind !== "http") return unknown(response.because);
  if (response.status !== 200) return unknown(`HTTP ${response.status} to a look-up`);
  switch (operation.kind) {
    case "authorize":
      return foundAuthorization(operation, payment, response.body);
    case "refund":
      return foundRefund(operation, payment, response.body);
    case "capture":
    case "void":
    case "expire": {
      const read = parse(intent, response.body);
      return read === null ? unknown("unreadable payment intent") : foundOnIntent(operation, payment, read);
    }
  }
}

function foundAuthorization(operation: Operation, payment: Payment, body: string): LookupAnswer {
  const list = parse(listOf(intent), body);
  if (list === null) return unknown("unreadable search result");
  const own = list.data.filter((item) => item.metadata?.[REFERENCE_FIELD] === operation.reference);
  if (own.length > 1) return unknown(`${own.length} intents carry one reference: a person must look`);
  const [read] = own;
  return read === undefined ? { kind: "absent" } : authorizeAnswer(payment, read);
}

function foundRefund(operation: Operation, payment: Payment, body: string): LookupAnswer {
  const list = parse(listOf(refundObject), body);
  if (list === null) return unknown("unreadable list of refunds");
  const own = list.data.find((item) => item.metadata?.[REFERENCE_FIELD] === operation.reference);
  return own === undefined ? { kind: "absent" } : refundAnswer(own, payment);
}

/** Captures and cancels leave no reference on the intent; its amounts and state tell, if nothing else is in flight. */
function foundOnIntent(operation: Operation, payment: Payment, read: Intent): LookupAnswer {
  if (operation.kind === "void" || operation.kind === "expire") {
    if (read.status === "canceled") return intentAnswer(operation, payment, read);
    return read.status === "requires_capture" ? { kind: "absent" } : unknown(`the intent is ${read.status}`);
  }
  if (payment.capturing !== operation.amount) return { kind: "absent" };
  const received = fromStripe(BigInt(read.amount_received), payment.amount.currency).minor;
  if (received === payment.captured) {
    if (read.status === "canceled")
      return { kind: "failed", decline: declineOf("provider_refused", "canceled") };
    return read.status === "requires_capture" ? { kind: "absent" } : unknown(`the intent is ${read.status}`);
  }
  return captureAnswer(operation, payment, read);
}
