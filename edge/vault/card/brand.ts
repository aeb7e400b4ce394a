import validator from "card-validator";

/** The brands that the vault takes, named as providers name them. */
export const BRANDS = ["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"] as const;
export type Brand = (typeof BRANDS)[number];

/** card-validator's names for the schemes that are taken; any other scheme it knows is refused by name. */
const TAKEN: ReadonlyMap<string, Brand> = new Map([
  ["visa", "visa"],
  ["mastercard", "mastercard"],
  ["american-express", "amex"],
  ["discover", "discover"],
  ["diners-club", "diners"],
  ["jcb", "jcb"],
  ["unionpay", "unionpay"],
]);

export type NumberCheck =
  | { readonly ok: true; readonly brand: Brand; readonly cvcLength: number }
  | { readonly ok: false; readonly code: "INVALID_NUMBER" | "UNSUPPORTED_BRAND" };

/**
 * Scheme, length for the scheme and Luhn check digit (ISO/IEC 7812-1, annex B) of a number that is digits only.
 * UnionPay is held to Luhn too, which card-validator leaves out unless asked, for the sake of some old cards:
 * catching typing errors is worth more.
 */
export function checkNumber(number: string): NumberCheck {
  const { card, isValid } = validator.number(number, { luhnValidateUnionPay: true });
  const brand = card === null ? undefined : TAKEN.get(card.type);
  if (card !== null && brand === undefined) return { ok: false, code: "UNSUPPORTED_BRAND" };
  if (card === null || brand === undefined || !isValid) return { ok: false, code: "INVALID_NUMBER" };
  return { ok: true, brand, cvcLength: card.code.size };
}
