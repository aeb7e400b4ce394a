import type { DeclineCode } from "../../domain/decline.ts";
import { entryOf } from "./tables.ts";

/**
 * What Adyen's refusals and errors mean (docs.adyen.com/development-resources/refusal-reasons and …/error-codes), as closed
 * tables. What an issuer said is never mapped onto a decline that would send the card to another provider: the schemes fine
 * that, so "not supported" and "not permitted" are generic here.
 */

/** By refusalReasonCode: Adyen's words, by which webhooks tell it, and ours. */
const REFUSALS: Readonly<Record<string, readonly [reason: string, code: DeclineCode]>> = {
  "2": ["Refused", "generic_decline"],
  "3": ["Referral", "generic_decline"],
  "4": ["Acquirer Error", "processing_error"],
  "5": ["Blocked Card", "generic_decline"],
  "6": ["Expired Card", "expired_card"],
  "7": ["Invalid Amount", "generic_decline"],
  "8": ["Invalid Card Number", "incorrect_number"],
  "9": ["Issuer Unavailable", "issuer_unavailable"],
  "10": ["Not supported", "generic_decline"],
  "11": ["3D Not Authenticated", "authentication_failed"],
  "12": ["Not enough balance", "insufficient_funds"],
  "14": ["Acquirer Fraud", "suspected_fraud"],
  "15": ["Cancelled", "payer_absent"],
  "16": ["Shopper Cancelled", "payer_absent"],
  "17": ["Invalid Pin", "generic_decline"],
  "18": ["Pin tries exceeded", "generic_decline"],
  "19": ["Pin validation not possible", "generic_decline"],
  "20": ["FRAUD", "blocked_by_risk"],
  "21": ["Not Submitted", "processing_error"],
  "22": ["FRAUD-CANCELLED", "blocked_by_risk"],
  "23": ["Transaction Not Permitted", "generic_decline"],
  "24": ["CVC Declined", "incorrect_cvc"],
  "25": ["Restricted Card", "generic_decline"],
  "26": ["Revocation Of Auth", "stored_credential_revoked"],
  "27": ["Declined Non Generic", "generic_decline"],
  "28": ["Withdrawal amount exceeded", "limit_exceeded"],
  "29": ["Withdrawal count exceeded", "limit_exceeded"],
  "31": ["Issuer Suspected Fraud", "suspected_fraud"],
  "32": ["AVS Declined", "incorrect_address"],
  "33": ["Card requires online pin", "generic_decline"],
  "34": ["No checking account available on Card", "generic_decline"],
  "35": ["No savings account available on Card", "generic_decline"],
  "36": ["Mobile pin required", "generic_decline"],
  "37": ["Contactless fallback", "generic_decline"],
  "38": ["Authentication required", "authentication_required"],
  "39": ["RReq not received from DS", "authentication_failed"],
  "40": ["Current AID is in Penalty Box.", "generic_decline"],
  "41": ["CVM Required Restart Payment", "generic_decline"],
  "42": ["3DS Authentication Error", "authentication_failed"],
  "43": ["Online PIN required", "generic_decline"],
  "44": ["Try another interface", "generic_decline"],
  "45": ["Chip downgrade mode", "generic_decline"],
  "46": ["Transaction blocked by Adyen to prevent excessive retry fees", "generic_decline"],
};

const BY_REASON: ReadonlyMap<string, string> = new Map(
  Object.entries(REFUSALS).map(([code, [reason]]) => [reason.toLowerCase(), code]),
);

/** Where Adyen's own code says little, the scheme's response code says more. */
const UNSPECIFIC = new Set(["2", "5", "25", "27"]);
const BY_RESPONSE_CODE: Readonly<Record<string, DeclineCode>> = {
  "41": "lost_card",
  "43": "stolen_card",
  "46": "closed_account",
  R0: "stored_credential_revoked",
  R1: "stored_credential_revoked",
  R3: "stored_credential_revoked",
};

/** `raw` is refusalReasonRaw, such as "43 : Stolen card, pick up". An unknown code is a decline nonetheless: generic. */
export function refusalCode(refusalReasonCode: string, raw: string | undefined): DeclineCode {
  const responseCode = /^([0-9A-Z]{2})\s*:/.exec(raw ?? "")?.[1] ?? "";
  const special = UNSPECIFIC.has(refusalReasonCode) ? entryOf(BY_RESPONSE_CODE, responseCode) : undefined;
  return special ?? entryOf(REFUSALS, refusalReasonCode)?.[1] ?? "generic_decline";
}

/** The refusalReasonCode of a reason in Adyen's words; "2" for any other. */
export const refusalNamed = (reason: string): string => BY_REASON.get(reason.toLowerCase()) ?? "2";

/**
 * 400 and 422: the request itself is not acceptable, so nothing was done, and the same request is refused again whenever
 * it comes. 703 ("resource temporarily unavailable") and 704 ("already processed or in progress") are not among them.
 */
const INVALID: Readonly<Record<string, DeclineCode>> = {
  "100": "provider_refused",
  "101": "incorrect_number",
  "102": "card_not_supported",
  "103": "incorrect_cvc",
  "129": "expired_card",
  "130": "provider_refused",
  "137": "amount_not_accepted",
  "138": "currency_not_supported",
  "140": "expired_card",
  "141": "expired_card",
  "153": "incorrect_cvc",
  "177": "provider_refused",
  "702": "provider_refused",
  "14_004": "provider_refused",
  "14_006": "provider_refused",
  "14_014": "provider_refused",
  "14_030": "provider_refused",
};

/** 401, 403 and 422: because of what the account or the payment is like just now, which an earlier request may have met otherwise. */
const NOT_NOW: Readonly<Record<string, DeclineCode>> = {
  "000": "provider_refused",
  "010": "provider_refused",
  "167": "provider_refused",
  "901": "provider_refused",
  "905": "card_not_supported",
  "906": "provider_refused",
  "907": "card_not_supported",
};

/** What an error means; null where it proves nothing. */
export function errorMeaning(status: number, errorCode: string, first: boolean): DeclineCode | null {
  if (status === 400 || status === 422) {
    const invalid = entryOf(INVALID, errorCode);
    if (invalid !== undefined) return invalid;
  }
  if (first && (status === 401 || status === 403)) return entryOf(NOT_NOW, errorCode) ?? null;
  // 422 000 has many causes, and may be one that has nothing to do with this request.
  if (first && status === 422 && errorCode !== "000") return entryOf(NOT_NOW, errorCode) ?? null;
  return null;
}
