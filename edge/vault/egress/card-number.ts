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

/** A string or number of JSON; in text that is JSON nothing else can hold digits. */
const JSON_SCALARS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/**
 * A provider's answer, masked. In JSON the number is also found where its digits or what stands between them are written as
 * escapes, and an answer that was JSON still is: a bare number that must be masked becomes a string.
 */
export function maskAnswer(text: string, number: string): string {
  if (!isJson(text)) return maskNumber(text, number);
  const digits = pattern(number);
  return text.replace(JSON_SCALARS, (scalar) => {
    const value = scalar.startsWith('"') ? (JSON.parse(scalar) as string) : scalar;
    return value.search(digits) < 0 ? scalar : JSON.stringify(maskNumber(value, number));
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
