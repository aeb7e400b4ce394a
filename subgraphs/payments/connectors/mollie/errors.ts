import { z } from "zod";
import { type Decline, type DeclineCode, declineOf } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";

/**
 * What Mollie's refusals and failure reasons mean. Closed tables: what is not in them is not a definite failure.
 */

/** `details.failureReason` of a failed card payment (docs.mollie.com/docs/handling-errors-with-mollie-components). */
const FAILURE_REASONS: Readonly<Record<string, DeclineCode>> = {
  authentication_abandoned: "payer_absent",
  authentication_failed: "authentication_failed",
  authentication_required: "authentication_required",
  authentication_unavailable_acs: "issuer_unavailable",
  card_declined: "generic_decline",
  card_expired: "expired_card",
  inactive_card: "closed_account",
  insufficient_funds: "insufficient_funds",
  invalid_cvv: "incorrect_cvc",
  invalid_card_holder_name: "generic_decline",
  invalid_card_number: "incorrect_number",
  invalid_card_type: "card_not_supported",
  possible_fraud: "suspected_fraud",
  refused_by_issuer: "generic_decline",
  unknown_reason: "generic_decline",
};

/** A payment with status `failed` took nothing, for certain; only the reason may be one that we do not know. */
export function declineFor(reason: string | null | undefined): Decline {
  return declineOf(FAILURE_REASONS[reason ?? ""] ?? "generic_decline", reason ?? null);
}

/** Mollie's error object. Its sentences are for people; the status and the field are what can be relied on. */
const errorBody = z.object({
  status: z.int(),
  title: z.string(),
  detail: z.string(),
  field: z.string().nullish(),
});

const AMOUNT_FIELDS: Readonly<Record<string, DeclineCode>> = {
  amount: "amount_not_accepted",
  "amount.value": "amount_not_accepted",
  "amount.currency": "currency_not_supported",
};

/** Key or account not accepted; no such payment; gone; something about the request or the payment's state. */
const REFUSALS = new Set([401, 403, 404, 410, 422]);

/**
 * What an error answer means. A refusal in Mollie's own words is definite for the first request: nothing was asked
 * before that could have brought it about. Of a repeated request it proves nothing, since Mollie may refuse it because the
 * first one took effect (the amount is used up, the payment is no longer authorized) and has forgotten the key. 400 (a key used
 * for another request), 409 (still being processed, or a twin of another refund), 429 and 5xx never are definite.
 */
export function errorAnswer(
  operation: Operation,
  status: number,
  body: unknown,
  first: boolean,
): ProviderAnswer {
  const parsed = errorBody.safeParse(body);
  if (!parsed.success || parsed.data.status !== status) {
    return { kind: "unknown", because: `HTTP ${status} without Mollie's error` };
  }
  const field = parsed.data.field ?? null;
  const providerCode = `${status}${field === null ? "" : ` ${field}`}`;
  // An authorization that cannot be released may be gone already, which is what was wanted: its status tells.
  const closes = operation.kind === "void" || operation.kind === "expire";
  const definite = first && REFUSALS.has(status) && !(closes && status === 422);
  if (!definite) return { kind: "unknown", because: `HTTP ${providerCode}` };
  return { kind: "failed", decline: declineOf(refusalCode(operation, status, field), providerCode) };
}

function refusalCode({ kind, request }: Operation, status: number, field: string | null): DeclineCode {
  if (kind !== "authorize" || status !== 422) return "provider_refused";
  if (field === "customerId" || field === "mandateId") {
    // Only a mandate that we named can have been revoked; a card that Mollie never stored may be charged elsewhere.
    return request?.body?.includes('"mandateId"') ? "stored_credential_revoked" : "provider_refused";
  }
  return AMOUNT_FIELDS[field ?? ""] ?? "provider_refused";
}
