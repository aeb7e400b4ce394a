/**
 * Why a card payment fails, in Mollie's words: the values of `details.failureReason` in its API description.
 */

export const FAILURE_REASONS = [
  "authentication_abandoned",
  "authentication_failed",
  "authentication_required",
  "authentication_unavailable_acs",
  "card_declined",
  "card_expired",
  "inactive_card",
  "insufficient_funds",
  "invalid_cvv",
  "invalid_card_holder_name",
  "invalid_card_number",
  "invalid_card_type",
  "possible_fraud",
  "refused_by_issuer",
  "unknown_reason",
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

export function isFailureReason(text: string): text is FailureReason {
  return (FAILURE_REASONS as readonly string[]).includes(text);
}

/** What the payer is told; Mollie's own words are not part of its contract. */
export function messageOf(reason: FailureReason): string {
  if (reason.startsWith("authentication")) return "You could not be authenticated with your bank.";
  if (reason === "insufficient_funds") return "The card does not have enough funds.";
  if (reason === "card_expired") return "The card has expired.";
  if (reason === "invalid_cvv") return "The security code is not right.";
  return "The card was declined.";
}
