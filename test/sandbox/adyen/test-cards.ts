/**
 * Test cards and what their banks say. The numbers are those that every sandbox here knows; Adyen's own refusal reasons
 * have numbers of their own besides (`refusingCard`).
 *
 * Source: docs.adyen.com/development-resources/refusal-reasons, facts only.
 */

import { passesLuhn, schemeOf } from "../kit/cards.ts";

export type CardBehaviour = {
  /** A key of REFUSALS. */
  readonly refusal?: string;
  /** What the bank says to it, where that is more than usual. */
  readonly raw?: string;
  /** When the bank insists on 3-D Secure: `unless_set_up` not for exempted payments or those without the shopper. */
  readonly authentication?: "always" | "unless_set_up";
  readonly cvc?: "no_match";
  readonly address?: "no_match" | "unavailable";
  readonly postalCode?: "no_match" | "unavailable";
  readonly risk?: "elevated" | "highest";
  readonly refund?: "slow" | "fails_later" | "reversed_later";
  readonly capture?: "fails_later";
};

/** By refusalReasonCode: Adyen's words, and what banks say to it where there is one such thing. */
export const REFUSALS: Readonly<Record<string, { readonly reason: string; readonly raw: string }>> = {
  "2": { reason: "Refused", raw: "05 : Do not honor" },
  "3": { reason: "Referral", raw: "01 : Refer to card issuer" },
  "4": { reason: "Acquirer Error", raw: "96 : System malfunction" },
  "5": { reason: "Blocked Card", raw: "62 : Restricted card" },
  "6": { reason: "Expired Card", raw: "54 : Expired card" },
  "7": { reason: "Invalid Amount", raw: "13 : Invalid amount" },
  "8": { reason: "Invalid Card Number", raw: "14 : Invalid card number" },
  "9": { reason: "Issuer Unavailable", raw: "91 : Issuer not available" },
  "10": { reason: "Not supported", raw: "40 : Requested function not supported" },
  "11": { reason: "3D Not Authenticated", raw: "3D Not Authenticated" },
  "12": { reason: "Not enough balance", raw: "51 : Insufficient funds/over credit limit" },
  "14": { reason: "Acquirer Fraud", raw: "59 : Suspected fraud" },
  "15": { reason: "Cancelled", raw: "Cancelled" },
  "16": { reason: "Shopper Cancelled", raw: "Shopper Cancelled" },
  "17": { reason: "Invalid Pin", raw: "55 : Invalid PIN" },
  "18": { reason: "Pin tries exceeded", raw: "75 : Allowable number of PIN tries exceeded" },
  "19": { reason: "Pin validation not possible", raw: "86 : Cannot verify PIN" },
  "20": { reason: "FRAUD", raw: "FRAUD" },
  "21": { reason: "Not Submitted", raw: "Not Submitted" },
  "22": { reason: "FRAUD-CANCELLED", raw: "FRAUD-CANCELLED" },
  "23": { reason: "Transaction Not Permitted", raw: "57 : Transaction not permitted" },
  "24": { reason: "CVC Declined", raw: "N7 : Decline for CVV2 failure" },
  "25": { reason: "Restricted Card", raw: "62 : Restricted card" },
  "26": { reason: "Revocation Of Auth", raw: "R1 : Revocation of authorization" },
  "27": { reason: "Declined Non Generic", raw: "93 : Transaction cannot be completed" },
  "28": { reason: "Withdrawal amount exceeded", raw: "61 : Exceeds withdrawal amount limit" },
  "29": { reason: "Withdrawal count exceeded", raw: "65 : Exceeds withdrawal count limit" },
  "31": { reason: "Issuer Suspected Fraud", raw: "59 : Suspected fraud" },
  "32": { reason: "AVS Declined", raw: "AVS Declined" },
  "33": { reason: "Card requires online pin", raw: "Online PIN required" },
  "34": { reason: "No checking account available on Card", raw: "52 : No checking account" },
  "35": { reason: "No savings account available on Card", raw: "53 : No savings account" },
  "36": { reason: "Mobile pin required", raw: "Mobile PIN required" },
  "37": { reason: "Contactless fallback", raw: "Contactless fallback" },
  "38": { reason: "Authentication required", raw: "1A : Authentication required" },
  "39": { reason: "RReq not received from DS", raw: "RReq not received from DS" },
  "40": { reason: "Current AID is in Penalty Box.", raw: "Current AID is in Penalty Box." },
  "41": { reason: "CVM Required Restart Payment", raw: "CVM Required" },
  "42": { reason: "3DS Authentication Error", raw: "3DS Authentication Error" },
  "43": { reason: "Online PIN required", raw: "Online PIN required" },
  "44": { reason: "Try another interface", raw: "Try another interface" },
  "45": { reason: "Chip downgrade mode", raw: "Chip downgrade mode" },
  "46": { reason: "Transaction blocked by Adyen to prevent excessive retry fees", raw: "Excessive retries" },
};

/** Refusals that Adyen gives as resultCode `Error`, or `Cancelled`; all others are `Refused`. */
export function resultCodeOf(refusal: string): "Refused" | "Error" | "Cancelled" {
  if (["4", "9", "21", "42"].includes(refusal)) return "Error";
  return ["15", "16", "22"].includes(refusal) ? "Cancelled" : "Refused";
}

type Row = readonly [
  number: string,
  behaviour?: CardBehaviour,
  country?: string,
  funding?: "CREDIT" | "DEBIT" | "PREPAID",
];

// biome-ignore format: a table reads better in rows
const CARDS: readonly Row[] = [
  ["4242424242424242"], ["4000056655665556", {}, "US", "DEBIT"], ["5555555555554444"], ["2223003122003222"],
  ["5200828282828210", {}, "US", "DEBIT"], ["5105105105105100", {}, "US", "PREPAID"],
  ["378282246310005"], ["371449635398431"], ["6011111111111117"], ["6011000990139424"],
  ["6011981111111113", {}, "US", "DEBIT"], ["3056930009020004"], ["36227206271667"], ["3566002020360505", {}, "JP"],
  ["6200000000000005", {}, "CN"],
  ["4000000000000002", { refusal: "2" }],
  ["4000000000009995", { refusal: "12" }],
  ["4000000000009987", { refusal: "5", raw: "41 : Lost card" }],
  ["4000000000009979", { refusal: "5", raw: "43 : Stolen card, pick up" }],
  ["4000000000000069", { refusal: "6" }],
  ["4000000000000127", { refusal: "24" }],
  ["4000000000000119", { refusal: "4" }],
  ["4000000000000341", { refusal: "2" }],
  ["4000000000000010", { address: "no_match", postalCode: "no_match" }],
  ["4000000000000028", { address: "no_match" }],
  ["4000000000000036", { postalCode: "no_match" }],
  ["4000000000000044", { address: "unavailable", postalCode: "unavailable" }],
  ["4000000000000101", { cvc: "no_match" }],
  ["4100000000000019", { refusal: "20", risk: "highest" }],
  ["4000000000004954", { risk: "highest" }],
  ["4000000000009235", { risk: "elevated" }],
  ["4000000000007726", { refund: "slow" }],
  ["4000000000005126", { refund: "fails_later" }],
  ["4000002500003155", { authentication: "unless_set_up" }, "FR"],
  ["4000002760003184", { authentication: "always" }, "DE"],
  ["4000003800000446", { authentication: "unless_set_up" }, "IT"],
  ["4000008260003178", { authentication: "always", refusal: "12" }, "GB"],
  ["4000000000003220", { authentication: "always" }, "IE"],
  ["4000008400001629", { authentication: "always", refusal: "2" }],
  ["4000003720000278", {}, "IE"],
];

export type TestCard = {
  readonly behaviour: CardBehaviour;
  readonly country: string;
  readonly funding: "CREDIT" | "DEBIT" | "PREPAID";
};

const BY_NUMBER: ReadonlyMap<string, TestCard> = new Map(
  [...CARDS, ...ownCards()].map(([number, behaviour = {}, country = "US", funding = "CREDIT"]) => [
    number,
    { behaviour, country, funding },
  ]),
);

/** A number that is no test card is a card that succeeds. */
export function testCard(number: string): TestCard {
  return BY_NUMBER.get(number) ?? { behaviour: {}, country: "US", funding: "CREDIT" };
}

/** Its bank refuses with this refusalReasonCode, 2 to 46. */
export const refusingCard = (refusalReasonCode: string): string => ownCard(refusalReasonCode);
/** The scheme rejects its captures after they succeeded. */
export const CAPTURE_FAILS_LATER = ownCard("901");
/** Its refunds come back from the bank. */
export const REFUND_REVERSED_LATER = ownCard("902");

function ownCards(): Row[] {
  const refusing = Object.keys(REFUSALS).map((refusal): Row => [ownCard(refusal), { refusal }, "NL"]);
  return [
    ...refusing,
    [ownCard("901"), { capture: "fails_later" }, "NL"],
    [ownCard("902"), { refund: "reversed_later" }, "NL"],
  ];
}

/** 4000 5800 0000 NNN and its check digit. */
function ownCard(name: string): string {
  const stem = `400058000000${name.padStart(3, "0")}`;
  for (let digit = 0; digit < 10; digit++) if (passesLuhn(stem + digit)) return stem + digit;
  throw new Error("one digit always fits");
}

const ADYEN_SCHEMES: Readonly<Record<string, string>> = { mastercard: "mc", unionpay: "cup" };

/** The scheme as Adyen names it: visa, mc, amex, discover, diners, jcb, cup; null for none that it takes. */
export function adyenScheme(number: string): string | null {
  const scheme = schemeOf(number);
  return scheme === "unknown" ? null : (ADYEN_SCHEMES[scheme] ?? scheme);
}
