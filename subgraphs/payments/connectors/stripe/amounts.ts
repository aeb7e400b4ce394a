import { type Currency, exponentOf } from "../../../kernel/currency.ts";
import { type Money, moneyOf } from "../../../kernel/money.ts";

/**
 * Stripe counts some currencies otherwise than ISO 4217 (docs.stripe.com/currencies): ISK and UGX are sent with
 * two decimals that must be zero, MGA without decimals, and three-decimal amounts end in 0.
 */
const STRIPE_EXPONENT: Partial<Record<Currency, number>> = { ISK: 2, UGX: 2, MGA: 0 };
const stripeExponent = (currency: Currency): number => STRIPE_EXPONENT[currency] ?? exponentOf(currency);

/** The largest card amount that Stripe takes, in its own units: twelve digits (docs.stripe.com/currencies). */
const MAX_STRIPE_AMOUNT = 999_999_999_999n;

/** Why Stripe would not take this amount, or null. */
export function refusesAmount(money: Money): string | null {
  const { minor, currency } = money;
  const shift = stripeExponent(currency) - exponentOf(currency);
  if (shift < 0 && minor % 10n ** BigInt(-shift) !== 0n) {
    return `${currency} amounts must be a multiple of ${10n ** BigInt(-shift)} minor units`;
  }
  if (exponentOf(currency) === 3 && minor % 10n !== 0n) {
    return `${currency} amounts must be a multiple of 10 minor units`;
  }
  if (toStripe(money) > MAX_STRIPE_AMOUNT) {
    return `the largest ${currency} amount is ${fromStripe(MAX_STRIPE_AMOUNT, currency).minor} minor units`;
  }
  return null;
}

export function toStripe({ minor, currency }: Money): bigint {
  const shift = stripeExponent(currency) - exponentOf(currency);
  return shift >= 0 ? minor * 10n ** BigInt(shift) : minor / 10n ** BigInt(-shift);
}

export function fromStripe(amount: bigint, currency: Currency): Money {
  const shift = stripeExponent(currency) - exponentOf(currency);
  return moneyOf(shift >= 0 ? amount / 10n ** BigInt(shift) : amount * 10n ** BigInt(-shift), currency);
}
