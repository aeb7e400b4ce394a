import { type Decline, type DeclineCode, declineOf } from "../../domain/decline.ts";

/**
 * What response codes (ISO 8583 field 39, docs/acquirer-api.md) mean. Two closed tables of definite failures: a code that is in
 * neither proves nothing. 68, 94 and 96 are left out on purpose, and so is 10, which we never ask for.
 */

/** The issuer's word. */
const DECLINES: Readonly<Record<string, DeclineCode>> = {
  "01": "generic_decline",
  "04": "generic_decline",
  "05": "generic_decline",
  "14": "incorrect_number",
  "19": "processing_error",
  "41": "lost_card",
  "43": "stolen_card",
  "46": "closed_account",
  "51": "insufficient_funds",
  "54": "expired_card",
  "55": "generic_decline",
  "57": "card_not_supported",
  "59": "suspected_fraud",
  "61": "limit_exceeded",
  "62": "generic_decline",
  "63": "generic_decline",
  // Soft declines: with the cardholder authenticated, the same card may well pay.
  "65": "authentication_required",
  "70": "authentication_required",
  "1A": "authentication_required",
  "75": "generic_decline",
  "82": "incorrect_cvc",
  "91": "issuer_unavailable",
  N7: "incorrect_cvc",
  R0: "stored_credential_revoked",
  R1: "stored_credential_revoked",
  R3: "stored_credential_revoked",
};

/** The acquirer's own refusals, after which nothing was done. */
const REFUSALS: Readonly<Record<string, DeclineCode>> = {
  "03": "provider_refused",
  "12": "provider_refused",
  "13": "amount_not_accepted",
  "21": "provider_refused",
  "25": "provider_refused",
  "92": "processing_error",
};

const entry = (table: Readonly<Record<string, DeclineCode>>, code: string): Decline | null => {
  const found = Object.hasOwn(table, code) ? table[code] : undefined;
  return found === undefined ? null : declineOf(found, code);
};

export const declined = (code: string): Decline | null => entry(DECLINES, code);
export const refused = (code: string): Decline | null => entry(REFUSALS, code);

/** Errors of HTTP 400 and 401 after which the request was certainly not executed. */
const NOT_EXECUTED = new Set(["400 format_error", "401 unauthorized", "401 stale"]);

export const notExecuted = (status: number, code: string): boolean => NOT_EXECUTED.has(`${status} ${code}`);
