import { type Currency, exponentOf, isCurrency } from "../../../kernel/currency.ts";
import { MAX_API_MINOR, type Money, moneyOf } from "../../../kernel/money.ts";

/**
 * Adyen counts some currencies otherwise than ISO 4217 (docs.adyen.com/development-resources/currency-codes): CLP and ISK
 * with two decimals, CVE and IDR without any.
 */
const ADYEN_EXPONENT: Partial<Record<Currency, number>> = { CLP: 2, ISK: 2, CVE: 0, IDR: 0 };

const shiftOf = (currency: Currency): number =>
  (ADYEN_EXPONENT[currency] ?? exponentOf(currency)) - exponentOf(currency);

/** The currencies of that page, as far as we know them too. */
export const ADYEN_CURRENCIES: readonly Currency[] = (
  "AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNY COP CRC CUP CVE CZK " +
  "DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD ISK JMD JOD JPY " +
  "KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LYD MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK " +
  "NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SVC SZL THB TND " +
  "TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
  .split(" ")
  .filter(isCurrency);

const TAKEN: ReadonlySet<string> = new Set(ADYEN_CURRENCIES);

/** Why Adyen would not take this amount, in words for the merchant, or null. */
export function refusesAmount({ minor, currency }: Money): string | null {
  if (!TAKEN.has(currency)) return `Adyen does not take ${currency}`;
  const shift = shiftOf(currency);
  const unit = 10n ** BigInt(Math.max(0, -shift));
  if (minor % unit !== 0n) return `${currency} amounts must be a multiple of ${unit} minor units`;
  const most = MAX_API_MINOR / 10n ** BigInt(Math.max(0, shift));
  return minor > most ? `the largest ${currency} amount is ${most} minor units` : null;
}

/** Minor units as Adyen counts them. The amount must be one that `refusesAmount` lets pass. */
export function toAdyen({ minor, currency }: Money): bigint {
  const shift = shiftOf(currency);
  return shift >= 0 ? minor * 10n ** BigInt(shift) : minor / 10n ** BigInt(-shift);
}

/** Our minor units; null for a fraction of one, which no amount of ours can be. */
export function fromAdyen(value: bigint, currency: Currency): Money | null {
  const shift = shiftOf(currency);
  if (shift <= 0) return moneyOf(value * 10n ** BigInt(-shift), currency);
  const unit = 10n ** BigInt(shift);
  return value % unit === 0n ? moneyOf(value / unit, currency) : null;
}
