/**
 * Stripe's test cards: numbers, what they stand for, and the payment method ids that name them.
 *
 * Source: docs.stripe.com/testing. Facts only; the behaviours are put into our own words in `CardBehaviour`.
 */

/** Why an issuer (or the fraud check) says no. `declineCode` is left out where Stripe documents none. */
export type Decline = {
  readonly code: string;
  readonly declineCode?: string;
  readonly message: string;
  readonly param?: string;
  /** Set where the fraud check blocks the payment before it reaches the network. */
  readonly blocked?: "highest_risk_level";
};

/** When a card asks for 3D Secure. */
export type Authentication =
  /** On every payment. */
  | "required"
  /** On every payment but those without the customer, once the card was stored with their consent. */
  | "unless_set_up"
  /** On payments with the customer present; off-session ones pass, because the card is set up already. */
  | "required_on_session"
  /** Only where the merchant asks for it. */
  | "on_request"
  /** The look-up itself fails, and the payment with it. */
  | "lookup_fails";

/** All that a payment method remembers of its card's character; it never holds the number. */
export type CardBehaviour = {
  readonly decline?: Decline;
  readonly authentication?: Authentication;
  readonly risk?: "elevated" | "highest";
  readonly cvcCheck?: "fail";
  readonly line1Check?: "fail" | "unavailable";
  readonly postalCodeCheck?: "fail" | "unavailable";
  /** How refunds to this card go: pending at first, or succeeded at first and failed later. */
  readonly refund?: "pending_then_succeeds" | "succeeds_then_fails";
  /** Funds skip the pending balance. */
  readonly fundsAvailableAtOnce?: true;
};

export type TestCard = {
  readonly number: string;
  readonly funding: "credit" | "debit" | "prepaid";
  readonly country: string;
  readonly behaviour: CardBehaviour;
};

/** Declines by the code that a fault rule or a test card names. */
export function declineOf(declineCode: string): Decline {
  const own = OWN_CODES[declineCode];
  if (own !== undefined) return own;
  return {
    code: "card_declined",
    declineCode,
    message: DECLINE_MESSAGES[declineCode] ?? "The card was declined.",
  };
}

/** Declines with an error code of their own and no decline code. */
const OWN_CODES: Readonly<Record<string, Decline>> = {
  expired_card: { code: "expired_card", message: "The card has expired.", param: "exp_month" },
  incorrect_cvc: { code: "incorrect_cvc", message: "The card's security code is incorrect.", param: "cvc" },
  processing_error: {
    code: "processing_error",
    message: "The card could not be processed. Try again later.",
  },
  authentication_required: {
    code: "authentication_required",
    declineCode: "authentication_required",
    message: "The card was declined. This payment requires authentication.",
  },
};

const DECLINE_MESSAGES: Readonly<Record<string, string>> = {
  insufficient_funds: "The card has insufficient funds.",
  card_velocity_exceeded: "The card was declined for too many attempts, or for too much, in a short time.",
  fraudulent: "The card was declined.",
};

const BLOCKED: Decline = { ...declineOf("fraudulent"), blocked: "highest_risk_level" };

/** Number, payment method id without `pm_card_`, country, behaviour. Visa credit cards unless said otherwise. */
type Row = readonly [number: string, method: string | null, country: string, behaviour?: CardBehaviour];

// biome-ignore format: a table reads better in rows
const SCENARIOS: readonly Row[] = [
  ["4000000000000002", "visa_chargeDeclined", "US", { decline: declineOf("generic_decline") }],
  ["4000000000009995", "visa_chargeDeclinedInsufficientFunds", "US", { decline: declineOf("insufficient_funds") }],
  ["4000000000009987", "visa_chargeDeclinedLostCard", "US", { decline: declineOf("lost_card") }],
  ["4000000000009979", "visa_chargeDeclinedStolenCard", "US", { decline: declineOf("stolen_card") }],
  ["4000000000000069", "chargeDeclinedExpiredCard", "US", { decline: declineOf("expired_card") }],
  ["4000000000000127", "chargeDeclinedIncorrectCvc", "US", { decline: declineOf("incorrect_cvc") }],
  ["4000000000000119", "chargeDeclinedProcessingError", "US", { decline: declineOf("processing_error") }],
  ["4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded", "US", { decline: declineOf("card_velocity_exceeded") }],
  ["4000000000000341", "chargeCustomerFail", "US", { decline: declineOf("generic_decline") }],
  ["4100000000000019", "radarBlock", "US", { decline: BLOCKED, risk: "highest" }],
  ["4000000000004954", "riskLevelHighest", "US", { risk: "highest" }],
  ["4000000000009235", "riskLevelElevated", "US", { risk: "elevated" }],
  ["4000000000000101", "cvcCheckFail", "US", { cvcCheck: "fail" }],
  ["4000000000000036", "avsZipFail", "US", { postalCodeCheck: "fail" }],
  ["4000000000000028", "avsLine1Fail", "US", { line1Check: "fail" }],
  ["4000000000000010", "avsFail", "US", { line1Check: "fail", postalCodeCheck: "fail" }],
  ["4000000000000044", "avsUnchecked", "US", { line1Check: "unavailable", postalCodeCheck: "unavailable" }],
  ["4000000000007726", "pendingRefund", "US", { refund: "pending_then_succeeds" }],
  ["4000000000005126", "refundFail", "US", { refund: "succeeds_then_fails" }],
  ["4000000000000077", "bypassPending", "US", { fundsAvailableAtOnce: true }],
  ["4000003720000278", "bypassPendingInternational", "IE", { fundsAvailableAtOnce: true }],
  // The charge succeeds; the dispute that follows at Stripe is not played here (README).
  ["4000000000000259", "createDispute", "US"],
  ["4000000000002685", "createDisputeProductNotReceived", "US"],
  ["4000000000001976", "createDisputeInquiry", "US"],
  ["4000000000005423", "createIssuerFraudRecord", "US"],
  ["4000002500003155", "authenticationRequiredOnSetup", "FR", { authentication: "unless_set_up" }],
  ["4000002760003184", "authenticationRequired", "DE", { authentication: "required" }],
  ["4000003800000446", "authenticationRequiredSetupForOffSession", "IT", { authentication: "required_on_session" }],
  ["4000008260003178", "authenticationRequiredChargeDeclinedInsufficientFunds", "GB",
    { authentication: "required", decline: declineOf("insufficient_funds") }],
  ["4000000000003220", "threeDSecure2Required", "IE", { authentication: "required" }],
  ["4000008400000027", null, "US", { authentication: "required" }],
  ["4000008400001629", "threeDSecureRequiredChargeDeclined", "US",
    { authentication: "required", decline: declineOf("generic_decline") }],
  ["4000008400001280", "threeDSecureRequiredProcessingError", "US", { authentication: "lookup_fails" }],
  ["4000000000003055", "threeDSecureOptional", "US", { authentication: "on_request" }],
];

/** Cards that succeed, by brand. */
// biome-ignore format: a table reads better in rows
const BRANDS: readonly (readonly [number: string, method: string | null, funding: TestCard["funding"], country: string])[] = [
  ["4242424242424242", "visa", "credit", "US"],
  ["4000056655665556", "visa_debit", "debit", "US"],
  ["5555555555554444", "mastercard", "credit", "US"],
  ["2223003122003222", null, "credit", "US"],
  ["5200828282828210", "mastercard_debit", "debit", "US"],
  ["5105105105105100", "mastercard_prepaid", "prepaid", "US"],
  ["378282246310005", "amex", "credit", "US"],
  ["371449635398431", null, "credit", "US"],
  ["6011111111111117", "discover", "credit", "US"],
  ["6011000990139424", null, "credit", "US"],
  ["6011981111111113", null, "debit", "US"],
  ["3056930009020004", "diners", "credit", "US"],
  ["36227206271667", null, "credit", "US"],
  ["3566002020360505", "jcb", "credit", "JP"],
  ["6200000000000005", "unionpay", "credit", "CN"],
  ["4000058260000005", "gb_debit", "debit", "GB"],
  ["5555558265554449", "gb_mastercard", "credit", "GB"],
];

/** Visa cards that succeed, by issuing country; `pm_card_br` and so on name them. */
// biome-ignore format: a table reads better in rows
const COUNTRIES: readonly (readonly [country: string, number: string])[] = [
  ["AR", "4000000320000021"], ["BR", "4000000760000002"], ["CA", "4000001240000000"], ["CL", "4000001520000001"],
  ["CO", "4000001700000003"], ["CR", "4000001880000005"], ["EC", "4000002180000000"], ["MX", "4000004840008001"],
  ["PA", "4000005910000000"], ["PY", "4000006000000066"], ["PE", "4000006040000068"], ["UY", "4000008580000003"],
  ["AE", "4000007840000001"], ["AT", "4000000400000008"], ["BE", "4000000560000004"], ["BG", "4000001000000000"],
  ["BY", "4000001120000005"], ["HR", "4000001910000009"], ["CY", "4000001960000008"], ["CZ", "4000002030000002"],
  ["DK", "4000002080000001"], ["EE", "4000002330000009"], ["FI", "4000002460000001"], ["FR", "4000002500000003"],
  ["DE", "4000002760000016"], ["GI", "4000002920000005"], ["GR", "4000003000000030"], ["HU", "4000003480000005"],
  ["IE", "4000003720000005"], ["IT", "4000003800000008"], ["LV", "4000004280000005"], ["LI", "4000004380000004"],
  ["LT", "4000004400000000"], ["LU", "4000004420000006"], ["MT", "4000004700000007"], ["NL", "4000005280000002"],
  ["NO", "4000005780000007"], ["PL", "4000006160000005"], ["PT", "4000006200000007"], ["RO", "4000006420000001"],
  ["SA", "4000006820000007"], ["SI", "4000007050000006"], ["SK", "4000007030000001"], ["ES", "4000007240000007"],
  ["SE", "4000007520000008"], ["CH", "4000007560000009"], ["GB", "4000008260000000"], ["AU", "4000000360000006"],
  ["CN", "4000001560000002"], ["HK", "4000003440000004"], ["IN", "4000003560000008"], ["JP", "4000003920000003"],
  ["MY", "4000004580000002"], ["NZ", "4000005540000008"], ["SG", "4000007020000003"], ["TW", "4000001580000008"],
  ["TH", "4000007640000003"],
];

const byNumber = new Map<string, TestCard>();
const byMethod = new Map<string, TestCard>();

function add(card: TestCard, method: string | null): void {
  byNumber.set(card.number, card);
  if (method !== null) byMethod.set(`pm_card_${method}`, card);
}

for (const [number, method, country, behaviour] of SCENARIOS) {
  add({ number, funding: "credit", country, behaviour: behaviour ?? {} }, method);
}
for (const [number, method, funding, country] of BRANDS)
  add({ number, funding, country, behaviour: {} }, method);
for (const [country, number] of COUNTRIES) {
  add({ number, funding: "credit", country, behaviour: {} }, country.toLowerCase());
}
byMethod.set("pm_card_us", byMethod.get("pm_card_visa") as TestCard);

/** The test card with this number, if it is one. */
export function testCard(number: string): TestCard | undefined {
  return byNumber.get(number);
}

/** The test card that a well-known id such as `pm_card_visa` (or the older `tok_visa`) stands for. */
export function wellKnownCard(id: string): TestCard | undefined {
  return byMethod.get(id.startsWith("tok_") ? `pm_card_${id.slice("tok_".length)}` : id);
}
