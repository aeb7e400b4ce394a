/**
 * What every provider knows of card numbers: check digit, scheme, expiry, and a fingerprint that is not the number.
 */

import { createHash } from "node:crypto";

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

/** The scheme by the number's first digits: `visa`, `mastercard`, `amex`, `discover`, `diners`, `jcb`, `unionpay`, `unknown`. */
export function schemeOf(number: string): string {
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

/** The same for every use of one number, and not the number: 16 letters and digits. */
export function cardFingerprint(number: string): string {
  const digest = createHash("sha256").update(`sandbox card ${number}`).digest("base64url");
  return digest.replaceAll(/[-_]/g, "x").slice(0, 16);
}

/** Whether the last day of the month has passed (UTC); the year has four digits. */
export function hasExpired(expMonth: number, expYear: number, now: Date): boolean {
  return Date.UTC(expYear, expMonth, 1) <= now.getTime();
}
