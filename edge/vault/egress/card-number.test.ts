import fc from "fast-check";
import { expect, it } from "vitest";
import { maskNumber, mentionsNumber } from "./card-number.ts";

const number = "4000056655665556";
const separator = fc.constantFrom("", " ", "-", ".", "\u00a0", "\n", " - ", "–", "+", "_", "/");

it("finds the number however it is grouped, and leaves no more than it may show", () => {
  fc.assert(
    fc.property(
      fc.array(separator, { minLength: 15, maxLength: 15 }),
      fc.string(),
      fc.string(),
      (gaps, before, after) => {
        const written = Array.from(number)
          .map((digit, at) => digit + (gaps[at] ?? ""))
          .join("");
        const text = before + written + after;
        expect(mentionsNumber(text, number)).toBe(true);
        const masked = maskNumber(text, number);
        expect(mentionsNumber(masked, number)).toBe(false);
        expect(masked).toContain("400005******5556");
      },
    ),
  );
});

it("leaves everything else alone, other card numbers too", () => {
  for (const text of ["", "4000056655665557", "400005665566555", "pi_4000056655660000", "4242424242424242"]) {
    expect(mentionsNumber(text, number)).toBe(false);
    expect(maskNumber(text, number)).toBe(text);
  }
});
