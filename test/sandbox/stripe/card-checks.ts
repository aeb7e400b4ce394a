/**
 * Checks of card details before any attempt to charge: number, expiry, security code, brand.
 * Source: docs.stripe.com/testing ("Trigger an error with invalid data") and docs.stripe.com/declines/codes.
 */

import { createHash } from "node:crypto";
import { invalidCard } from "./errors.ts";

/** What a merchant sends of a card. `cvc` may be left out; then it is not checked. */
export type CardDetails = {
  readonly number: string;
  readonly expMonth: number;
  /** Two digits or four. */
  readonly expYear: number;
  readonly cvc?: string;
};

const YEARS_AROUND_NOW = 50;

/** Luhn's check digit (ISO/IEC 7812-1, annex B). */
export function passesLuhn(number: string): boolean {
  let sum = 0;
  for (let index = 0; index < number.length; index++) {
    const digit = number.charCodeAt(number.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** The brand as Stripe names it in `card.brand`. */
export function brandOf(number: string): string {
  const four = Number(number.slice(0, 4));
  const two = Math.floor(four / 100);
  if (two >= 40 && two <= 49) return "visa";
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return "mastercard";
  if (two === 34 || two === 37) return "amex";
  if (four === 6011 || two === 65 || (four >= 6440 && four <= 6499)) return "discover";
  if (two === 36 || two === 38 || two === 39 || (four >= 3000 && four <= 3059) || four === 3095)
    return "diners";
  if (four >= 3528 && four <= 3589) return "jcb";
  if (two === 62 || two === 81) return "unionpay";
  return "unknown";
}

/** The brand's name in `card.display_brand`. */
export function displayBrandOf(brand: string): string {
  const other: Record<string, string> = {
    amex: "american_express",
    diners: "diners_club",
    unionpay: "union_pay",
    unknown: "other",
  };
  return other[brand] ?? brand;
}

/** The same for every use of one number, and not the number: 16 letters and digits. */
export function fingerprintOf(number: string): string {
  const digest = createHash("sha256").update(`stripe sandbox card ${number}`).digest("base64url");
  return digest.replaceAll(/[-_]/g, "x").slice(0, 16);
}

/** Four digits for a two-digit year: the century that keeps it within fifty years from now. */
export function fullYear(year: number, now: Date): number {
  if (year >= 100) return year;
  const thisCentury = Math.floor(now.getUTCFullYear() / 100) * 100 + year;
  return thisCentury > now.getUTCFullYear() + YEARS_AROUND_NOW ? thisCentury - 100 : thisCentury;
}

/** Whether the last day of the month has passed (UTC). */
export function hasExpired(expMonth: number, expYear: number, now: Date): boolean {
  return Date.UTC(expYear, expMonth, 1) <= now.getTime();
}

/**
 * Refuses card details that cannot be a card: 402 `card_error` with `invalid_number`, `incorrect_number`,
 * `invalid_expiry_month`, `invalid_expiry_year` or `invalid_cvc`. `nameOf` gives a field's full parameter name.
 */
export function checkCard(card: CardDetails, now: Date, nameOf: (field: string) => string): void {
  if (!/^\d{12,19}$/.test(card.number)) {
    throw invalidCard("invalid_number", "The card number is not a number of a card.", nameOf("number"));
  }
  if (!passesLuhn(card.number)) {
    throw invalidCard("incorrect_number", "The card number is incorrect.", nameOf("number"));
  }
  checkExpiry(card, now, nameOf);
  const cvcLength = brandOf(card.number) === "amex" ? 4 : 3;
  if (card.cvc !== undefined && !(/^\d+$/.test(card.cvc) && card.cvc.length === cvcLength)) {
    throw invalidCard("invalid_cvc", "The card's security code is invalid.", nameOf("cvc"));
  }
}

function checkExpiry(card: CardDetails, now: Date, nameOf: (field: string) => string): void {
  const thisYear = now.getUTCFullYear();
  const year = fullYear(card.expYear, now);
  if (card.expMonth < 1 || card.expMonth > 12) {
    throw invalidCard("invalid_expiry_month", "The card's expiration month is invalid.", nameOf("exp_month"));
  }
  if (year < thisYear || year > thisYear + YEARS_AROUND_NOW) {
    throw invalidCard("invalid_expiry_year", "The card's expiration year is invalid.", nameOf("exp_year"));
  }
  if (hasExpired(card.expMonth, year, now)) {
    throw invalidCard("invalid_expiry_month", "The card's expiration month is invalid.", nameOf("exp_month"));
  }
}
