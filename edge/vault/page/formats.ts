import { brandOf } from "./brands.ts";

/** How the fields write what is typed into them. Each takes the field's text and gives it as it should look. */

export const digitsOf = (text: string): string => text.replace(/\D/g, "");

/** Groups a card number as its brand prints it. */
export function formatNumber(text: string): string {
  const brand = brandOf(digitsOf(text));
  const digits = digitsOf(text).slice(0, Math.max(...(brand?.lengths ?? [19])));
  const gaps = brand?.gaps ?? [4, 8, 12, 16];
  return Array.from(digits)
    .map((digit, at) => (gaps.includes(at) ? ` ${digit}` : digit))
    .join("");
}

/** "429" and "4/29" become "04 / 29"; browsers that fill in "04/2029" are understood as well. */
export function formatExpiry(text: string): string {
  const [, typedMonth = "", typedYear = ""] = /^\s*(\d{1,2})\s*[/.-]\s*(\d*)/.exec(text) ?? [];
  let digits = typedMonth === "" ? digitsOf(text) : typedMonth.padStart(2, "0") + typedYear;
  if (/^[2-9]/.test(digits)) digits = `0${digits}`;
  // Six digits are a year in full, once its century is there.
  if (/^\d{2}20\d{2}/.test(digits)) digits = digits.slice(0, 2) + digits.slice(4);
  // Five digits may be on the way there: 12 / 203.
  const [month, year] = [digits.slice(0, 2), digits.slice(2, /^\d{2}20\d/.test(digits) ? 5 : 4)];
  return year === "" && typedMonth === "" ? month : `${month} / ${year}`;
}

export const formatCvc = (text: string): string => digitsOf(text).slice(0, 4);

/**
 * Rewrites a field while it is typed into, keeping the cursor behind the same digit: setting a value moves it to
 * the end, which makes correcting a digit in the middle impossible.
 */
export function keepFormatted(input: HTMLInputElement, format: (text: string) => string): void {
  const typed = input.value;
  const formatted = format(typed);
  if (formatted === typed) return;
  const atEnd = (input.selectionEnd ?? typed.length) >= typed.length;
  const before = digitsOf(typed.slice(0, input.selectionEnd ?? typed.length)).length;
  input.value = formatted;
  if (atEnd) return;
  let at = 0;
  for (let seen = 0; seen < before && at < formatted.length; at++)
    if (/\d/.test(formatted.charAt(at))) seen++;
  input.setSelectionRange(at, at);
}
