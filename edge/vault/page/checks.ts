import { brandOf } from "./brands.ts";

/** The card page's checks: each gives what to tell the payer, or null. The vault checks all of it again. */

/** Luhn check digit (ISO/IEC 7812-1, annex B). */
function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i));
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

export function numberProblem(digits: string): string | null {
  if (digits === "") return "Enter the card number.";
  const brand = brandOf(digits);
  const lengths = brand?.lengths ?? [12, 13, 14, 15, 16, 17, 18, 19];
  if (digits.length < Math.min(...lengths)) return "The card number is incomplete.";
  if (!lengths.includes(digits.length) || !luhn(digits))
    return "The card number is not right. Please check it.";
  return null;
}

/** `expiry` as `readExpiry` gives it. */
export function expiryProblem(expiry: Expiry | null, now: Date): string | null {
  if (expiry === null) return "Enter month and year, as in 04 / 29.";
  if (expiry.month < 1 || expiry.month > 12) return "The month must be 01 to 12.";
  const months = (expiry.year - now.getFullYear()) * 12 + expiry.month - 1 - now.getMonth();
  if (months < 0) return "This card has expired.";
  return months > 20 * 12 ? "The year is too far ahead." : null;
}

export function cvcProblem(cvc: string, number: string): string | null {
  const length = brandOf(number)?.cvcLength ?? 3;
  if (cvc === "") return "Enter the security code.";
  return cvc.length === length ? null : `The security code has ${length} digits.`;
}

export type Expiry = { readonly month: number; readonly year: number };

/** Reads four digits, MMYY, of the expiry field; null while it is incomplete. */
export function readExpiry(digits: string): Expiry | null {
  if (digits.length !== 4) return null;
  return { month: Number(digits.slice(0, 2)), year: 2000 + Number(digits.slice(2)) };
}
