import { type Decline, type DeclineCode, declineOf } from "../../domain/decline.ts";
import type { OperationKind } from "../../domain/operation.ts";
import type { StripeError } from "./objects.ts";

/**
 * What Stripe's error codes mean (docs.stripe.com/error-codes, docs.stripe.com/declines/codes). Closed tables: what
 * is not in them is not a definite failure.
 */

/** HTTP 402 `card_error`, and an intent's last error: `decline_code` first, then `code`. Others are generic declines. */
const DECLINES: Readonly<Record<string, DeclineCode>> = {
  approve_with_id: "generic_decline",
  authentication_not_handled: "authentication_required",
  authentication_required: "authentication_required",
  call_issuer: "generic_decline",
  card_decline_rate_limit_exceeded: "limit_exceeded",
  card_not_supported: "card_not_supported",
  card_velocity_exceeded: "limit_exceeded",
  currency_not_supported: "currency_not_supported",
  do_not_honor: "generic_decline",
  do_not_try_again: "generic_decline",
  duplicate_transaction: "duplicate_payment",
  expired_card: "expired_card",
  fraudulent: "suspected_fraud",
  generic_decline: "generic_decline",
  highest_risk_level: "suspected_fraud",
  incorrect_address: "incorrect_address",
  incorrect_cvc: "incorrect_cvc",
  incorrect_number: "incorrect_number",
  incorrect_pin: "generic_decline",
  incorrect_postal_code: "incorrect_address",
  incorrect_zip: "incorrect_address",
  insufficient_funds: "insufficient_funds",
  invalid_account: "closed_account",
  invalid_amount: "amount_not_accepted",
  invalid_cvc: "incorrect_cvc",
  invalid_expiry_month: "expired_card",
  invalid_expiry_year: "expired_card",
  invalid_number: "incorrect_number",
  invalid_pin: "generic_decline",
  issuer_not_available: "issuer_unavailable",
  lost_card: "lost_card",
  merchant_blacklist: "suspected_fraud",
  mobile_device_authentication_required: "authentication_required",
  new_account_information_available: "closed_account",
  no_action_taken: "generic_decline",
  not_permitted: "card_not_supported",
  offline_pin_required: "card_not_supported",
  online_or_offline_pin_required: "card_not_supported",
  payment_intent_authentication_failure: "authentication_failed",
  pickup_card: "stolen_card",
  pin_try_exceeded: "generic_decline",
  processing_error: "processing_error",
  reenter_transaction: "processing_error",
  restricted_card: "generic_decline",
  revocation_of_all_authorizations: "stored_credential_revoked",
  revocation_of_authorization: "stored_credential_revoked",
  security_violation: "suspected_fraud",
  service_not_allowed: "card_not_supported",
  stolen_card: "stolen_card",
  stop_payment_order: "stored_credential_revoked",
  test_mode_live_card: "generic_decline",
  testmode_decline: "generic_decline",
  transaction_not_allowed: "card_not_supported",
  try_again_later: "processing_error",
  withdrawal_count_limit_exceeded: "limit_exceeded",
};

export function declineFor({ code, decline_code: detail, type }: StripeError): Decline {
  const named = DECLINES[detail ?? ""] ?? DECLINES[code ?? ""] ?? "generic_decline";
  return declineOf(named, detail ?? code ?? type);
}

/** HTTP 400 `invalid_request_error` codes after which nothing was done, for certain. */
const REFUSALS: Readonly<Record<string, DeclineCode>> = {
  amount_too_small: "amount_not_accepted",
  amount_too_large: "amount_not_accepted",
  balance_insufficient: "provider_refused",
  capture_charge_authorization_expired: "authorization_expired",
  charge_disputed: "provider_refused",
  charge_exceeds_source_limit: "amount_not_accepted",
  charge_exceeds_transaction_limit: "amount_not_accepted",
  charge_expired_for_capture: "authorization_expired",
  charge_not_refundable: "provider_refused",
  invalid_charge_amount: "amount_not_accepted",
  parameter_invalid_empty: "provider_refused",
  parameter_invalid_integer: "provider_refused",
  parameter_invalid_string_blank: "provider_refused",
  parameter_invalid_string_empty: "provider_refused",
  parameter_missing: "provider_refused",
  parameter_unknown: "provider_refused",
  parameters_exclusive: "provider_refused",
  payment_method_currency_mismatch: "currency_not_supported",
  refund_disputed_payment: "provider_refused",
};

/** Refusals because of a state that our own earlier request may have caused: definite on the first send only. */
const STATE_REFUSALS: Readonly<Record<string, DeclineCode>> = {
  capture_unauthorized_payment: "provider_refused",
  charge_already_captured: "provider_refused",
  charge_already_refunded: "provider_refused",
  payment_intent_unexpected_state: "provider_refused",
  resource_missing: "provider_refused",
};

/**
 * What a 400 or 404 `invalid_request_error` refuses for certain; null if it proves nothing. `first`: no earlier copy of
 * the request can have acted.
 */
export function refusalFor(kind: OperationKind, error: StripeError, first: boolean): Decline | null {
  const { code, param, type } = error;
  if (kind === "capture" && param === "final_capture" && first)
    return declineOf("multiple_captures_unsupported", code ?? type);
  const always = REFUSALS[code ?? ""];
  if (always !== undefined) return declineOf(always, code);
  if (!first) return null;
  // The hold's time was over, or it was released in the dashboard.
  if (code === "payment_intent_unexpected_state" && error.payment_intent?.status === "canceled")
    return declineOf("authorization_expired", code);
  // Without a code it is a parameter, or an amount, that Stripe does not take.
  const now = code === undefined ? "provider_refused" : STATE_REFUSALS[code];
  return now === undefined ? null : declineOf(now, code ?? type);
}

/** `failure_reason` of a refund that did not reach the card (docs.stripe.com/refunds#failed-refunds). */
const REFUND_FAILURES: Readonly<Record<string, DeclineCode>> = {
  declined: "refund_returned",
  expired_or_canceled_card: "refund_returned",
  lost_or_stolen_card: "refund_returned",
  unknown: "refund_returned",
  charge_for_pending_refund_disputed: "provider_refused",
  insufficient_funds: "provider_refused",
  merchant_request: "provider_refused",
};

export function refundFailure(reason: string | null | undefined, status: string): Decline {
  return declineOf(REFUND_FAILURES[reason ?? ""] ?? "provider_refused", reason ?? status);
}
