/**
 * Test cards: the numbers that everyone knows from docs.stripe.com/testing, with what an issuer says to them in ISO 8583,
 * and one number for each response code. Facts only.
 */

import { RESPONSE_CODES } from "./response-codes.ts";

/** How the issuer of a card behaves. */
export type CardBehaviour = {
  /** What it answers to whatever is asked. */
  readonly code?: string;
  /** Whether it wants the cardholder authenticated: always, or where no exemption is claimed. */
  readonly authentication?: "always" | "unless_exempt";
  /** What it says once the cardholder is authenticated. */
  readonly codeAfterwards?: string;
  readonly cvcResult?: "N";
  readonly addressResult?: "A" | "Z" | "N" | "U";
  readonly refunds?: "in_progress" | "returned";
};

export type TestCard = {
  readonly number: string;
  readonly funding: "C" | "D" | "P";
  readonly country: string;
  readonly behaviour: CardBehaviour;
};

// biome-ignore format: a table reads better in rows
const CARDS: readonly (readonly [number: string, country: string, behaviour?: CardBehaviour, funding?: TestCard["funding"]])[] = [
  ["4242424242424242", "US"], ["4000056655665556", "US", {}, "D"],
  ["5555555555554444", "US"], ["2223003122003222", "US"],
  ["5200828282828210", "US", {}, "D"], ["5105105105105100", "US", {}, "P"],
  ["378282246310005", "US"], ["371449635398431", "US"],
  ["6011111111111117", "US"], ["6011000990139424", "US"], ["6011981111111113", "US", {}, "D"],
  ["3056930009020004", "US"], ["36227206271667", "US"], ["3566002020360505", "JP"], ["6200000000000005", "CN"],
  ["4000000000000002", "US", { code: "05" }],
  ["4000000000009995", "US", { code: "51" }],
  ["4000000000009987", "US", { code: "41" }],
  ["4000000000009979", "US", { code: "43" }],
  ["4000000000000069", "US", { code: "54" }],
  ["4000000000000127", "US", { code: "N7", cvcResult: "N" }],
  ["4000000000000119", "US", { code: "19" }],
  ["4000000000006975", "US", { code: "61" }],
  ["4000000000000341", "US", { code: "05" }],
  ["4100000000000019", "US", { code: "59" }],
  ["4000000000004954", "US"], ["4000000000009235", "US"],
  ["4000000000000101", "US", { cvcResult: "N" }],
  ["4000000000000010", "US", { addressResult: "N" }],
  ["4000000000000028", "US", { addressResult: "Z" }],
  ["4000000000000036", "US", { addressResult: "A" }],
  ["4000000000000044", "US", { addressResult: "U" }],
  ["4000000000000259", "US"], ["4000000000002685", "US"], ["4000000000001976", "US"], ["4000000000005423", "US"],
  ["4000000000007726", "US", { refunds: "in_progress" }],
  ["4000000000005126", "US", { refunds: "returned" }],
  ["4000000000000077", "US"], ["4000003720000278", "IE"],
  ["4000002500003155", "FR", { authentication: "unless_exempt" }],
  ["4000002760003184", "DE", { authentication: "always" }],
  ["4000003800000446", "IT", { authentication: "unless_exempt" }],
  ["4000008260003178", "GB", { authentication: "always", codeAfterwards: "51" }],
  ["4000000000003220", "IE", { authentication: "always" }],
  ["4000008400001629", "US", { authentication: "always", codeAfterwards: "05" }],
  ["4000000000003055", "US"],
];

/** The number whose issuer answers this code: 40000990000, the code's two signs as 00 to 35 each, and a check digit. */
export function numberForCode(code: string): string {
  const signs = Array.from(code, (sign) => String(Number.parseInt(sign, 36)).padStart(2, "0")).join("");
  const body = `40000990000${signs}`;
  return body + checkDigit(body);
}

/** Luhn (ISO/IEC 7812-1, annex B). */
function checkDigit(body: string): string {
  const sum = Array.from(body)
    .reverse()
    .map((digit, at) => Number(digit) * (at % 2 === 0 ? 2 : 1))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return String((10 - (sum % 10)) % 10);
}

const byNumber = new Map<string, TestCard>();
for (const [number, country, behaviour = {}, funding = "C"] of CARDS) {
  byNumber.set(number, { number, country, behaviour, funding });
}
for (const code of Object.keys(RESPONSE_CODES)) {
  const number = numberForCode(code);
  const behaviour = code === "00" ? {} : { code };
  byNumber.set(number, { number, country: "NL", funding: "C", behaviour });
}

export const testCard = (number: string): TestCard | undefined => byNumber.get(number);

export const testCards = (): readonly TestCard[] => [...byNumber.values()];
