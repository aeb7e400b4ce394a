import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskAnswer, maskNumber, mentionsNumber } from "./card-number.ts";

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

describe("an answer in JSON", () => {
  const masked = "400005******5556";
  const escaped = Array.from(number)
    .map((digit) => `\\u00${digit.charCodeAt(0).toString(16)}`)
    .join("");

  it.each([
    ["a bare number", `{"n":${number}}`, { n: masked }],
    ["a number with decimals", `[${number}.0]`, [`${masked}.0`]],
    ["a negative number", `[-${number},1]`, [`-${masked}`, 1]],
    ["escaped digits", `{"n":"${escaped}"}`, { n: masked }],
    [
      "escapes between the digits",
      '["4000\\n0566\\u20135566\\/5556","4000\\u00a00566 5566-5556"]',
      [masked, masked],
    ],
    ["a name", `{"${escaped}":1,"x ${number}":2}`, { [masked]: 1, [`x ${masked}`]: 2 }],
    ["JSON in a string", JSON.stringify({ raw: `{"n":"${number}"}` }), { raw: `{"n":"${masked}"}` }],
    ["the whole answer", number, masked],
  ])("is masked in %s, and is still JSON", (_name, text, expected) => {
    expect(JSON.parse(maskAnswer(text, number))).toEqual(expected);
  });

  it("is not touched where the number is not", () => {
    const text =
      ' {"a" : 1.50, "b":"\\u00e4\\/", "c":[4000056655665557, -0, 1e5, true,null], "d":"\\ud800"} ';
    expect(maskAnswer(text, number)).toBe(text);
  });

  it("holds the number nowhere, whatever it is", () => {
    const places = fc.constantFrom(number, Number(number), `no ${number}!`, "4000 0566 5566 5556", 12, null);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(places, fc.array(places))), (answer) => {
        const text = maskAnswer(JSON.stringify(answer), number);
        expect(mentionsNumber(text, number)).toBe(false);
        JSON.parse(text);
      }),
    );
  });

  it("is masked as text where it is broken or no JSON", () => {
    expect(maskAnswer(`{"n":"${number}`, number)).toBe(`{"n":"${masked}`);
    expect(maskAnswer(`card ${number} declined`, number)).toBe(`card ${masked} declined`);
  });
});
