import { describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { type ErrorCode, render } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { example } from "./testing/example.ts";

/** The mistake, its code, the part of the text that it points at, and what the message must say. */
const MISTAKES: readonly (readonly [string, ErrorCode, string, RegExp])[] = [
  // writing
  ["", "UNEXPECTED_END", "", /ends where a value/],
  ["amount >", "UNEXPECTED_END", "", /ends where a value/],
  ['card.brand = "visa"', "UNEXPECTED_CHARACTER", "=", /write "=="/],
  ["true && false", "UNEXPECTED_CHARACTER", "&&", /write "and"/],
  ["!true", "UNEXPECTED_CHARACTER", "!", /write "not"/],
  ["1 <> 2", "UNEXPECTED_CHARACTER", "<>", /write "!="/],
  ["card.brand == 'visa'", "UNEXPECTED_CHARACTER", "'", /double quotes/],
  ["true # why", "UNEXPECTED_CHARACTER", "#", /line of its own/],
  ["true \u202e", "UNEXPECTED_CHARACTER", "\u202e", /U\+202E/],
  ['card.country == "N\u200bL"', "UNEXPECTED_CHARACTER", "\u200b", /\\u\{200b\}/],
  ['card.country == "NL', "TEXT_NOT_CLOSED", '"NL', /no closing/],
  ['card.country == "\\x"', "BAD_ESCAPE", "\\x", /after \\/],
  ['card.country == "\\u{110000}"', "BAD_ESCAPE", "\\u", /after \\/],
  ["amount > 5 EURO", "UNEXPECTED", "EURO", /one too many/],
  ["amount > 5 XXX", "UNKNOWN_CURRENCY", "5 XXX", /ISO 4217/],
  ["amount > 5.001 EUR", "BAD_NUMBER", "5.001 EUR", /at most 2 decimals/],
  ["amount > 5.0 JPY", "BAD_NUMBER", "5.0 JPY", /no decimals/],
  ["latency > 1.5h", "BAD_NUMBER", "1.5h", /whole number/],
  ["latency > 5min", "BAD_NUMBER", "5min", /no unit of time/],
  ["1234567890123456789 == 1", "BAD_NUMBER", "1234567890123456789", /18 digits/],
  ["amount > 99999999999999999 EUR", "BAD_NUMBER", "99999999999999999 EUR", /no amount/],
  ['now > instant("2026-02-30")', "BAD_INSTANT", 'instant("2026-02-30")', /is written/],
  ['now > instant("2026-01-31T09:30")', "BAD_INSTANT", 'instant("2026-01-31T09:30")', /is written/],
  ["(true", "UNEXPECTED_END", "", /"\)" is missing/],
  ["true)", "UNEXPECTED", ")", /closes nothing/],
  ["true AND false", "UNEXPECTED", "AND", /lower case/],
  ["1 < 2 < 3", "CHAINED_COMPARISON", "<", /in 1\.\.5/],
  ["payer.country is null", "UNEXPECTED", "null", /"missing" or "present"/],
  ["card.bin in []", "UNEXPECTED", "]", /value should be here/],
  ["payment.attempt in [payment.attempt]", "LITERAL_NEEDED", "payment.attempt", /as they are/],
  ["@blocked_bins", "UNEXPECTED", "@blocked_bins", /after "in"/],
  // names
  ['card.brnd == "visa"', "UNKNOWN_NAME", "card.brnd", /"card.brand"\?/],
  ['country == "NL"', "UNKNOWN_NAME", "country", /"card.country"\?/],
  ["card.brand == visa", "UNKNOWN_NAME", "visa", /double quotes: "visa"/],
  ["card.country == NL", "UNKNOWN_NAME", "NL", /double quotes: "NL"/],
  ["velocity > 3", "UNKNOWN_NAME", "velocity", /velocity\(\.\.\.\)/],
  ['velocty("card", 1h) > 3', "UNKNOWN_FUNCTION", 'velocty("card", 1h)', /"velocity"\?/],
  ["card.bin in @bloked_bins", "UNKNOWN_LIST", "@bloked_bins", /"blocked_bins"\?/],
  ['card.brand == "vissa"', "UNKNOWN_VALUE", '"vissa"', /"visa"\?/],
  ['"x" == card.funding', "UNKNOWN_VALUE", '"x"', /"credit", "debit", "prepaid"/],
  ['card.brand in ["visa", "vissa"]', "UNKNOWN_VALUE", '"vissa"', /"visa"\?/],
  ['velocity("cart", 1h) > 3', "UNKNOWN_VALUE", '"cart"', /"card"\?/],
  // types
  ["card.brand", "NOT_A_CONDITION", "card.brand", /compare it/],
  ["true and 5", "NOT_A_CONDITION", "5", /x > 5/],
  ["not amount", "NOT_A_CONDITION", "amount", /100\.00 EUR/],
  ["amount > 5", "TYPES_DIFFER", "amount > 5", /100\.00 EUR/],
  ["latency > 5", "TYPES_DIFFER", "latency > 5", /24h/],
  ['now > "2026-01-31"', "TYPES_DIFFER", 'now > "2026-01-31"', /instant\(/],
  ['payment.attempt == "1"', "TYPES_DIFFER", 'payment.attempt == "1"', /double quotes/],
  ['customer.tags == "vip"', "TYPES_DIFFER", 'customer.tags == "vip"', /"abc" in x/],
  ['customer.tags contains "vip"', "NOT_POSSIBLE", "customer.tags", /"abc" in x/],
  ["amount starts with card.bin", "TYPES_DIFFER", "amount", /for texts/],
  ["payer.email like card.bin", "LITERAL_NEEDED", "card.bin", /as it is/],
  ["card.bin > card.country", "NOT_POSSIBLE", "card.bin > card.country", /range/],
  ["true < false", "NOT_POSSIBLE", "true < false", /no order/],
  ["1 EUR > 1 USD", "CURRENCIES_DIFFER", "1 EUR > 1 USD", /converts/],
  ["fee > 1 USD", "CURRENCIES_DIFFER", "fee > 1 USD", /EUR and USD/],
  ["fee + 1 USD > amount", "CURRENCIES_DIFFER", "fee + 1 USD", /EUR and USD/],
  ["fee in 1 EUR..2 USD", "CURRENCIES_DIFFER", "1 EUR..2 USD", /EUR and USD/],
  ["amount * 0.5 > fee", "NOT_POSSIBLE", "amount * 0.5", /whole numbers only/],
  ["amount / fee > 3", "NOT_POSSIBLE", "amount / fee", /multiply the other side/],
  ["amount / 2 > fee", "NOT_POSSIBLE", "amount / 2", /multiply the other side/],
  ["amount + 5 > fee", "NOT_POSSIBLE", "amount + 5", /5\.00 EUR/],
  ['card.bin + "1" == "2"', "NOT_POSSIBLE", 'card.bin + "1"', /with texts/],
  ["now + now > now", "NOT_POSSIBLE", "now + now", /not possible/],
  ["-now > now", "NOT_POSSIBLE", "-now", /no opposite/],
  ["amount in [5 EUR]", "NOT_POSSIBLE", "amount", /range/],
  ["payment.attempt in card.bin", "TYPES_DIFFER", "card.bin", /list or a range/],
  ["amount in @blocked_bins", "TYPES_DIFFER", "amount", /hold texts/],
  ["5 in customer.tags", "TYPES_DIFFER", "5", /holds texts/],
  ["payment.attempt in 3..1", "EMPTY_RANGE", "3..1", /wrong way round/],
  ['card.bin in "40".."499"', "EMPTY_RANGE", '"40".."499"', /same length/],
  ["card.bin in card.bin..card.bin", "LITERAL_NEEDED", "card.bin..card.bin", /as it is/],
  ["amount is missing", "ALWAYS_PRESENT", "amount", /never missing/],
  ["(1 + 2) is missing", "NOT_POSSIBLE", "(1 + 2)", /only a field/],
  ['velocity("card") > 3', "WRONG_ARGUMENTS", 'velocity("card")', /velocity\(subject, window\)/],
  ['velocity("card", "1h") > 3', "WRONG_ARGUMENTS", '"1h"', /a duration/],
  ["velocity(card.brand, 1h) > 3", "LITERAL_NEEDED", "card.brand", /as it is/],
];

describe("a mistake", () => {
  it.each(MISTAKES)("in %j is %s at %j", (text, code, part, says) => {
    const compiled = compile(text, example);
    if (compiled.ok) throw new Error("it compiled");
    const [error] = compiled.error;
    if (error === undefined) throw new Error("it says nothing");
    expect(compiled.error).toHaveLength(1);
    expect(error.code).toBe(code);
    expect(text.slice(error.column - 1, error.column - 1 + error.length)).toBe(part);
    expect(error.message).toMatch(says);
  });

  it("is shown with its line and a mark under the place", () => {
    const text = 'amount > 5.00 EUR\n  and card.brnd == "visa"';
    const compiled = compile(text, example);
    if (compiled.ok || compiled.error[0] === undefined) throw new Error("it compiled");
    expect(render(text, compiled.error[0])).toBe(
      [
        'line 2, column 7: there is no "card.brnd"; did you mean "card.brand"?',
        '  2 |   and card.brnd == "visa"',
        "    |       ^^^^^^^^^",
      ].join("\n"),
    );
  });

  it("is shown in a part of a long line, with nothing that a terminal would obey", () => {
    const text = `card.country == "${"x".repeat(200)}" or\u001b[31m true or ${"true or ".repeat(20)}true`;
    const compiled = compile(text, example);
    if (compiled.ok || compiled.error[0] === undefined) throw new Error("it compiled");
    const [, line = "", mark = ""] = render(text, compiled.error[0]).split("\n");
    expect(line).not.toContain("\u001b");
    expect(line.length).toBeLessThan(90);
    expect(line.slice(mark.indexOf("^")).startsWith(" [31m")).toBe(true);
  });

  it("comes with all others of typing, up to a limit", () => {
    const two = compile('card.brnd == "visa" and amount > 5', example);
    expect(two).toMatchObject({ error: [{ code: "UNKNOWN_NAME" }, { code: "TYPES_DIFFER" }] });
    const many = compile(Array.from({ length: 30 }, () => "amount > 5").join(" or "), example);
    expect(!many.ok && many.error).toHaveLength(10);
  });
});

describe("the nearest name", () => {
  const names = ["card.brand", "card.country", "payer.country", "amount"];
  it.each([
    ["card.brand", "card.brand"],
    ["crad.brand", "card.brand"],
    ["Amount", "amount"],
    ["brand", "card.brand"],
    ["payer.contry", "payer.country"],
    ["zzz", null],
    ["x".repeat(4_000), null],
  ])("to %s is %s", (wrong, near) => expect(nearest(wrong, names)).toBe(near));
});
