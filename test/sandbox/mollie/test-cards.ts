/**
 * Test cards: the same numbers as the other sandboxes have (docs.stripe.com/testing), with what Mollie calls their
 * outcomes; Mollie's own test cards; and a magic number for each of Mollie's failure reasons.
 */

import { passesLuhn, schemeOf } from "../kit/cards.ts";
import { FAILURE_REASONS, type FailureReason } from "./failure-reasons.ts";

/** All that a card's record remembers of its character. */
export type CardBehaviour = {
  readonly failure?: FailureReason;
  /** Refused only when the payer is not there: the card was fine when it was stored. */
  readonly recurringFailure?: FailureReason;
  /** `required`: the bank asks the payer. `unavailable`: it should, and cannot. */
  readonly authentication?: "required" | "unavailable";
  /** A refund to this card is sent back by the bank. */
  readonly refundFails?: true;
  /** A capture fails at the issuer. */
  readonly captureFails?: true;
};

export type TestCard = {
  readonly country: string;
  readonly funding: "credit" | "debit" | "prepaid";
  readonly behaviour: CardBehaviour;
};

type Row = readonly [number: string, country: string, behaviour: CardBehaviour];

// biome-ignore format: a table reads better in rows
const SCENARIOS: readonly Row[] = [
  ["4000000000000002", "US", { failure: "card_declined" }],
  ["4000000000009995", "US", { failure: "insufficient_funds" }],
  ["4000000000009987", "US", { failure: "refused_by_issuer" }],
  ["4000000000009979", "US", { failure: "refused_by_issuer" }],
  ["4000000000000069", "US", { failure: "card_expired" }],
  ["4000000000000127", "US", { failure: "invalid_cvv" }],
  ["4000000000000101", "US", { failure: "invalid_cvv" }],
  ["4000000000000119", "US", { failure: "unknown_reason" }],
  ["4000000000006975", "US", { failure: "refused_by_issuer" }],
  ["4100000000000019", "US", { failure: "possible_fraud" }],
  ["4000000000004954", "US", { failure: "possible_fraud" }],
  ["4000000000000341", "US", { recurringFailure: "card_declined" }],
  ["4000000000005126", "US", { refundFails: true }],
  ["4000002500003155", "FR", { authentication: "required" }],
  ["4000002760003184", "DE", { authentication: "required", recurringFailure: "authentication_required" }],
  ["4000003800000446", "IT", { authentication: "required" }],
  ["4000008260003178", "GB", { authentication: "required", failure: "insufficient_funds" }],
  ["4000000000003220", "IE", { authentication: "required" }],
  ["4000008400000027", "US", { authentication: "required" }],
  ["4000008400001629", "US", { authentication: "required", failure: "card_declined" }],
  ["4000008400001280", "US", { authentication: "unavailable" }],
];

/** Cards of a funding other than credit, or from elsewhere than the US; they succeed. */
// biome-ignore format: a table reads better in rows
const OTHERS: readonly (readonly [number: string, country: string, funding: TestCard["funding"]])[] = [
  ["4000056655665556", "US", "debit"],
  ["5200828282828210", "US", "debit"],
  ["5105105105105100", "US", "prepaid"],
  ["6011981111111113", "US", "debit"],
  ["4000002500000003", "FR", "credit"],
  ["4000002760000016", "DE", "credit"],
  ["4000005280000002", "NL", "credit"],
  ["4000008260000000", "GB", "credit"],
  // Mollie's own (docs.mollie.com/reference/testing).
  ["4543474002249996", "NL", "credit"],
  ["2223000010479399", "NL", "credit"],
];

/** Fifteen digits that begin with 400098 and end with the reason's number; the sixteenth is the check digit. */
function magicNumber(index: number): string {
  const body = `400098${String(index + 1).padStart(9, "0")}`;
  const digit = [..."0123456789"].find((last) => passesLuhn(body + last));
  return `${body}${digit}`;
}

/** For each of Mollie's failure reasons a card that fails for it. */
export const MAGIC_CARDS: Readonly<Record<FailureReason, string>> = Object.fromEntries(
  FAILURE_REASONS.map((reason, index) => [reason, magicNumber(index)]),
) as Record<FailureReason, string>;

/** A card whose captures fail at the issuer. */
export const CAPTURE_FAILS_CARD = magicNumber(98);

const CARDS = new Map<string, TestCard>([
  ...SCENARIOS.map(
    ([number, country, behaviour]) => [number, { country, funding: "credit", behaviour }] as const,
  ),
  ...OTHERS.map(([number, country, funding]) => [number, { country, funding, behaviour: {} }] as const),
  ...FAILURE_REASONS.map(
    (failure) =>
      [MAGIC_CARDS[failure], { country: "NL", funding: "credit", behaviour: { failure } }] as const,
  ),
  [CAPTURE_FAILS_CARD, { country: "NL", funding: "credit", behaviour: { captureFails: true } }],
]);

/** Numbers that are no test cards are American credit cards that succeed. */
export function testCard(number: string): TestCard {
  return CARDS.get(number) ?? { country: "US", funding: "credit", behaviour: {} };
}

const LABELS: Readonly<Record<string, string>> = {
  visa: "Visa",
  mastercard: "Mastercard",
  amex: "American Express",
  discover: "Discover",
  diners: "Diners Club",
  jcb: "JCB",
  unionpay: "Unionpay",
};

/** Mollie's name of the scheme; null for one that it does not know. */
export function labelOf(number: string): string | null {
  return LABELS[schemeOf(number)] ?? null;
}
