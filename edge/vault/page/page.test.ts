import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkNumber } from "../card/brand.ts";
import { brandOf } from "./brands.ts";
import { cvcProblem, expiryProblem, numberProblem, readExpiry } from "./checks.ts";
import { digitsOf, formatCvc, formatExpiry, formatNumber } from "./formats.ts";

/** The card page's own rules, beside the vault's: the page must not refuse what the vault takes. */
const NAMES: Record<string, string> = {
  visa: "Visa",
  mastercard: "Mastercard",
  amex: "American Express",
  discover: "Discover",
  diners: "Diners Club",
  jcb: "JCB",
  unionpay: "UnionPay",
};

const prefix = fc.constantFrom(
  "4",
  "51",
  "55",
  "2221",
  "2720",
  "34",
  "37",
  "300",
  "305",
  "36",
  "38",
  "39",
  "6011",
  "644",
  "65",
  "3528",
  "3589",
  "2131",
  "1800",
  "620",
  "6250",
  "6282",
  "8110",
  "8171",
  "50",
  "67",
  "9792",
  "2200",
  "6",
  "1",
  "7",
);

/** A number with a right check digit. */
const number = fc
  .tuple(
    prefix,
    fc.integer({ min: 12, max: 19 }),
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 18, maxLength: 18 }),
  )
  .map(([start, length, rest]) => {
    const body = (start + rest.join("")).slice(0, length - 1);
    const sum = Array.from(body)
      .reverse()
      .reduce((total, digit, at) => {
        const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
        return total + (value > 9 ? value - 9 : value);
      }, 0);
    return body + ((10 - (sum % 10)) % 10);
  });

describe("brands", () => {
  it("agree with the vault wherever the vault takes the card", () => {
    let taken = 0;
    fc.assert(
      fc.property(number, (digits) => {
        const vault = checkNumber(digits);
        if (!vault.ok) return;
        taken++;
        expect(brandOf(digits)?.name, digits).toBe(NAMES[vault.brand]);
        expect(brandOf(digits)?.cvcLength).toBe(vault.cvcLength);
        expect(numberProblem(digits), digits).toBeNull();
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(300);
  });

  it("catch what is mistyped before it is sent", () => {
    for (const digits of ["", "4242", "4242424242424241", "42424242424242", "37828224631000"])
      expect(numberProblem(digits), digits).not.toBeNull();
    expect(cvcProblem("123", "378282246310005")).toContain("4 digits");
    expect(cvcProblem("1234", "378282246310005")).toBeNull();
    expect(cvcProblem("", "4242424242424242")).toContain("Enter");
  });
});

describe("formats", () => {
  it.each([
    ["4242424242424242", "4242 4242 4242 4242"],
    ["4242-4242x42", "4242 4242 42"],
    ["378282246310005", "3782 822463 10005"],
    ["36227206271667", "3622 720627 1667"],
    ["42424242424242424242424", "4242 4242 4242 4242 424"],
  ])("number %s becomes %s", (typed, shown) => {
    expect(formatNumber(typed)).toBe(shown);
  });

  it.each([
    ["1", "1"],
    ["4", "04"],
    ["12", "12"],
    ["123", "12 / 3"],
    ["1230", "12 / 30"],
    ["429", "04 / 29"],
    ["4/29", "04 / 29"],
    ["1/", "01 / "],
    ["04/2029", "04 / 29"],
    ["12 / 203", "12 / 203"],
    ["12 / 2030", "12 / 30"],
    ["2029", "02 / 02"],
    ["04-31", "04 / 31"],
    ["ab", ""],
  ])("expiry %s becomes %s", (typed, shown) => {
    expect(formatExpiry(typed)).toBe(shown);
  });

  it("lose no digit of a number while it is typed one by one", () => {
    fc.assert(
      fc.property(number, (digits) => {
        const shown = Array.from(digits).reduce((text, digit) => formatNumber(text + digit), "");
        expect(digits.startsWith(digitsOf(shown))).toBe(true);
        if (brandOf(digits)?.lengths.includes(digits.length)) expect(digitsOf(shown)).toBe(digits);
      }),
    );
  });

  it("keep a security code to its digits", () => {
    expect(formatCvc("12a34567")).toBe("1234");
  });
});

it("tells what is wrong with an expiry date", () => {
  const now = new Date(2026, 10, 22);
  const problem = (digits: string) => expiryProblem(readExpiry(digits), now);
  expect(problem("1126")).toBeNull();
  expect(problem("1146")).toBeNull();
  expect(problem("1026")).toContain("expired");
  expect(problem("1330")).toContain("month");
  expect(problem("0047")).toContain("month");
  expect(problem("1246")).toContain("far");
  expect(problem("12")).toContain("month and year");
});
