/**
 * What Adyen tells of a payment besides its result, where the merchant has asked for all of it.
 *
 * Source: the schemas `ResponseAdditionalDataCommon` and `ResponseAdditionalDataCard` of the Checkout API v72.
 */

import { REFUSALS } from "./test-cards.ts";
import type { PaymentRecord } from "./world.ts";

/** Strings only, by the names of the description. */
export function additionalDataOf(payment: PaymentRecord): Readonly<Record<string, string>> {
  const { card, authCode, checks } = payment;
  return {
    ...checks,
    refusalReasonRaw: rawReason(payment),
    ...(authCode === null ? {} : { authCode, networkTxReference: networkReference(payment) }),
    acquirerCode: "SandboxAcquirer",
    cardBin: card.bin.slice(0, 6),
    issuerBin: card.bin,
    cardSummary: card.last4,
    cardPaymentMethod: card.scheme,
    paymentMethod: card.scheme,
    expiryDate: card.expiry,
    fundingSource: card.funding,
    cardIssuingCountry: card.country,
  };
}

/** Fifteen digits for Visa; letters and digits and the date for Mastercard. The same for the same payment. */
function networkReference({ id, card, created }: PaymentRecord): string {
  const date = new Date(created).toISOString().slice(5, 10).replace("-", "");
  if (card.scheme === "mc") return `MCS${id.slice(0, 6)}${date}`;
  const digits = Array.from(id, (letter) => String(letter.charCodeAt(0) % 10)).join("");
  return digits.slice(0, 15);
}

function rawReason({ refusal, card }: PaymentRecord): string {
  if (refusal === null) return "AUTHORISED";
  const own = card.behaviour.refusal === refusal ? card.behaviour.raw : undefined;
  return own ?? REFUSALS[refusal]?.raw ?? "";
}
