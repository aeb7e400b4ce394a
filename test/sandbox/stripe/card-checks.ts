/**
 * Checks of card details before any attempt to charge: number, expiry, security code, brand.
 * Source: docs.stripe.com/testing ("Trigger an error with invalid data") and docs.stripe.com/declines/codes.
 */

import { hasExpired, passesLuhn, schemeOf } from "../kit/cards.ts";
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

/** The brand's name in `card.display_brand`; `card.brand` is the kit's name of the scheme. */
export function displayBrandOf(brand: string): string {
  const other: Record<string, string> = {
    amex: "american_express",
    diners: "diners_club",
    unionpay: "union_pay",
    unknown: "other",
  };
  return other[brand] ?? brand;
}

/** Four digits for a two-digit year: the century that keeps it within fifty years from now. */
export function fullYear(year: number, now: Date): number {
  if (year >= 100) return year;
  const thisCentury = Math.floor(now.getUTCFullYear() / 100) * 100 + year;
  return thisCentury > now.getUTCFullYear() + YEARS_AROUND_NOW ? thisCentury - 100 : thisCentury;
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
  const cvcLength = schemeOf(card.number) === "amex" ? 4 : 3;
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
