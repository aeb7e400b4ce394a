import { type AnswerDetails, type CheckResult, NO_DETAILS } from "../../domain/operation.ts";
import type { ChargedCard, Intent, StripeError } from "./objects.ts";

/** What Stripe tells of a card and its payment besides the outcome. */

const CHECKS: Readonly<Record<string, CheckResult>> = {
  pass: "match",
  fail: "no_match",
  unavailable: "unavailable",
  unchecked: "unchecked",
};
const check = (told: string | null | undefined): CheckResult => CHECKS[told ?? ""] ?? "unchecked";

/** `three_d_secure.result`: with these two the issuer bears fraud (docs.stripe.com/payments/3d-secure). */
const SHIFTS_LIABILITY = ["authenticated", "attempt_acknowledged"];

const FUNDINGS = ["credit", "debit", "prepaid"] as const;

/** The charge's card, where the charge came along. */
export function chargedCard({ latest_charge }: Intent): ChargedCard | null {
  if (typeof latest_charge !== "object" || latest_charge === null) return null;
  return latest_charge.payment_method_details?.card ?? null;
}

export function detailsOf(card: ChargedCard | null, rawCode: string | null = null): AnswerDetails {
  if (card === null) return { ...NO_DETAILS, rawCode };
  const { checks, three_d_secure: secure } = card;
  const line1 = checks?.address_line1_check ?? null;
  const postalCode = checks?.address_postal_code_check ?? null;
  const cvc = checks?.cvc_check ?? null;
  return {
    rawCode,
    authorizationCode: card.authorization_code ?? null,
    networkTransactionId: card.network_transaction_id ?? null,
    avs:
      line1 === null && postalCode === null ? null : { address: check(line1), postalCode: check(postalCode) },
    cvc: cvc === null ? null : check(cvc),
    eci: card.electronic_commerce_indicator ?? secure?.electronic_commerce_indicator ?? null,
    liabilityShift: secure?.result ? SHIFTS_LIABILITY.includes(secure.result) : null,
    funding: FUNDINGS.find((known) => known === card.funding) ?? (card.funding ? "unknown" : null),
    issuerCountry: /^[A-Z]{2}$/.test(card.country ?? "") ? (card.country ?? null) : null,
    providerFee: null,
  };
}

/** Of a decline: the network's own code, where the issuer was asked. */
export function declineDetails(
  error: StripeError | NonNullable<Intent["last_payment_error"]>,
): AnswerDetails {
  const rawCode = error.network_decline_code ?? error.decline_code ?? error.code ?? null;
  return detailsOf(error.payment_method?.card ?? null, rawCode);
}
