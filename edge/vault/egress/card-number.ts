/**
 * Finding one known card number in text, written plainly or in groups. Only the number at hand is looked for:
 * one in ten numbers of that length passes Luhn, so a search for "any card" would hit order numbers.
 */
const BETWEEN_DIGITS = "[\\s.\\-\\u00a0\\u2010-\\u2015+_/]{0,3}";

function pattern(number: string): RegExp {
  return new RegExp(Array.from(number).join(BETWEEN_DIGITS), "g");
}

export function mentionsNumber(text: string, number: string): boolean {
  return pattern(number).test(text);
}

/** The text with every mention of the number reduced to its first six and last four digits. */
export function maskNumber(text: string, number: string): string {
  const mask = number.slice(0, 6) + "*".repeat(number.length - 10) + number.slice(-4);
  return text.replace(pattern(number), mask);
}
