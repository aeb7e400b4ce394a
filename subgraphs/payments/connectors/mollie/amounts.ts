import { type Currency, exponentOf } from "../../../kernel/currency.ts";
import type { Money } from "../../../kernel/money.ts";

/**
 * Mollie's amounts: a decimal string with exactly the currency's decimals (docs.mollie.com/docs/multicurrency). Its
 * decimals are ISO 4217's for every currency that it charges cards in.
 */
export const CURRENCIES: readonly Currency[] = [
  "AED",
  "AUD",
  "BRL",
  "CAD",
  "CHF",
  "CZK",
  "DKK",
  "EUR",
  "GBP",
  "HKD",
  "HUF",
  "ILS",
  "ISK",
  "JPY",
  "MXN",
  "MYR",
  "NOK",
  "NZD",
  "PHP",
  "PLN",
  "RON",
  "SEK",
  "SGD",
  "THB",
  "TWD",
  "USD",
  "ZAR",
];

export type WireAmount = { readonly currency: string; readonly value: string };

/** Ten digits: far over what Mollie accepts for a card, which differs by account; those it refuses in its own words. */
const MOST = 9_999_999_999n;

/** Why Mollie would not take this amount, or null. */
export function refusesAmount({ minor, currency }: Money): string | null {
  if (!CURRENCIES.includes(currency)) return `cards are not charged in ${currency}`;
  return minor > MOST ? `the largest ${currency} amount is ${MOST} minor units` : null;
}

export function toMollie({ minor, currency }: Money): WireAmount {
  const exponent = exponentOf(currency);
  const digits = minor.toString().padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  return { currency, value: exponent === 0 ? whole : `${whole}.${digits.slice(-exponent)}` };
}

/** Minor units; null where the amount is in another currency, or not written as Mollie writes it. */
export function fromMollie({ currency, value }: WireAmount, expected: Currency): bigint | null {
  const exponent = exponentOf(expected);
  const form = exponent === 0 ? /^\d{1,18}$/ : new RegExp(`^\\d{1,18}\\.\\d{${exponent}}$`);
  if (currency !== expected || !form.test(value)) return null;
  return BigInt(value.replace(".", ""));
}
