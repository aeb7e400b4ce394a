import type { DeclineCode } from "../../domain/decline.ts";

/**
 * What Stripe's error codes mean (docs.stripe.com/error-codes, docs.stripe.com/declines/codes). Two closed
 * tables: what is not in them is not a definite failure.
 */

/** HTTP 402 `card_error`: `decline_code` first, then `code`. Unknown ones are a generic decline. */
const DECLINES: Readonly<Record<string, DeclineCode>> = {
  insufficient_funds: "insufficient_funds",
  lost_card: "lost_card",
  stolen_card: "stolen_card",
  expired_card: "expired_card",
  incorrect_cvc: "incorrect_cvc",
  invalid_cvc: "incorrect_cvc",
  incorrect_number: "incorrect_number",
  invalid_number: "incorrect_number",
  invalid_account: "incorrect_number",
  invalid_expiry_month: "expired_card",
  invalid_expiry_year: "expired_card",
  card_velocity_exceeded: "limit_exceeded",
  withdrawal_count_limit_exceeded: "limit_exceeded",
  card_not_supported: "card_not_supported",
  transaction_not_allowed: "card_not_supported",
  currency_not_supported: "currency_not_supported",
  authentication_required: "authentication_required",
  processing_error: "processing_error",
  issuer_not_available: "processing_error",
  try_again_later: "processing_error",
  reenter_transaction: "processing_error",
  fraudulent: "suspected_fraud",
  merchant_blacklist: "suspected_fraud",
  highest_risk_level: "suspected_fraud",
};

export function declineCode(code: string | undefined, detail: string | undefined): DeclineCode {
  return DECLINES[detail ?? ""] ?? DECLINES[code ?? ""] ?? "generic_decline";
}

/** HTTP 400 `invalid_request_error` codes after which nothing was done, for certain. */
const REFUSALS: Readonly<Record<string, DeclineCode>> = {
  amount_too_small: "amount_not_accepted",
  amount_too_large: "amount_not_accepted",
  invalid_charge_amount: "amount_not_accepted",
  parameter_invalid_integer: "provider_refused",
  parameter_invalid_empty: "provider_refused",
  parameter_missing: "provider_refused",
  parameter_unknown: "provider_refused",
  charge_expired_for_capture: "provider_refused",
  charge_disputed: "provider_refused",
  capture_charge_authorization_expired: "provider_refused",
};

/** Refusals because of a state that our own earlier request may have caused: definite on the first send only. */
const STATE_REFUSALS: Readonly<Record<string, DeclineCode>> = {
  payment_intent_unexpected_state: "provider_refused",
  charge_already_captured: "provider_refused",
  charge_already_refunded: "provider_refused",
  resource_missing: "provider_refused",
};

export function refusal(code: string | undefined, first: boolean): DeclineCode | null {
  const name = code ?? "";
  return REFUSALS[name] ?? (first ? (STATE_REFUSALS[name] ?? null) : null);
}
