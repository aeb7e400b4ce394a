import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binOf, checkCard, last4Of } from "./check-card.ts";

const now = new Date("2026-11-22T12:00:00Z");
const card = { number: "4242424242424242", expMonth: 12, expYear: 2030 };
const codeOf = (message: unknown, at = now) => {
  const checked = checkCard(message, at);
  return checked.ok ? checked.value.brand : checked.error.code;
};

describe("checkCard", () => {
  it.each([
    ["4242424242424242", "visa"],
    ["4000056655665556", "visa"],
    ["5555555555554444", "mastercard"],
    ["2223003122003222", "mastercard"],
    ["378282246310005", "amex"],
    ["371449635398431", "amex"],
    ["6011111111111117", "discover"],
    ["3056930009020004", "diners"],
    ["36227206271667", "diners"],
    ["3566002020360505", "jcb"],
    ["6200000000000005", "unionpay"],
    ["4242 4242 4242 4242", "visa"],
    ["4242-4242-4242-4242", "visa"],
    ["4242424242424241", "INVALID_NUMBER"],
    ["6200000000000006", "INVALID_NUMBER"],
    ["424242424242424", "INVALID_NUMBER"],
    ["42424242424242424242", "INVALID_NUMBER"],
    ["9999999999999995", "INVALID_NUMBER"],
    ["6759649826438453", "UNSUPPORTED_BRAND"],
    ["2200000000000004", "UNSUPPORTED_BRAND"],
    ["٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "INVALID_NUMBER"],
    ["", "INVALID_NUMBER"],
  ])("%s: %s", (number, expected) => {
    expect(codeOf({ ...card, number })).toBe(expected);
  });

  it("catches every single wrong digit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
        const digit = (Number(card.number.charAt(at)) + by) % 10;
        const number = card.number.slice(0, at) + digit + card.number.slice(at + 1);
        expect(checkCard({ ...card, number }, now).ok).toBe(false);
      }),
    );
  });

  it.each([
    [11, 2026, "visa"],
    [10, 2026, "EXPIRED_CARD"],
    [1, 2026, "EXPIRED_CARD"],
    [12, 2046, "visa"],
    [1, 2047, "INVALID_EXPIRY"],
    [0, 2030, "INVALID_EXPIRY"],
    [13, 2030, "INVALID_EXPIRY"],
    [1.5, 2030, "INVALID_EXPIRY"],
    [12, 30, "INVALID_EXPIRY"],
  ])("expiry %s/%s: %s", (expMonth, expYear, expected) => {
    expect(codeOf({ ...card, expMonth, expYear })).toBe(expected);
  });

  it("lets a card live to the end of its month at UTC-12, and not a moment longer", () => {
    const november = { ...card, expMonth: 11, expYear: 2026 };
    expect(codeOf(november, new Date("2026-12-01T11:59:59Z"))).toBe("visa");
    expect(codeOf(november, new Date("2026-12-01T12:00:00Z"))).toBe("EXPIRED_CARD");
    const december = { ...card, expMonth: 12, expYear: 2026 };
    expect(codeOf(december, new Date("2027-01-01T11:59:59Z"))).toBe("visa");
  });

  it.each([
    ["4242424242424242", "123", "visa"],
    ["4242424242424242", "1234", "INVALID_CVC"],
    ["4242424242424242", "12", "INVALID_CVC"],
    ["4242424242424242", "12a", "INVALID_CVC"],
    ["4242424242424242", "", "INVALID_CVC"],
    ["378282246310005", "1234", "amex"],
    ["378282246310005", "123", "INVALID_CVC"],
  ])("number %s with security code %s: %s", (number, cvc, expected) => {
    expect(codeOf({ ...card, number, cvc })).toBe(expected);
  });

  it("takes nothing that is no card", () => {
    for (const message of [null, 1, "x", [], {}, { ...card, number: 4242 }, { ...card, expMonth: "4" }])
      expect(codeOf(message)).toBe("DECRYPTION_FAILED");
  });

  it("never repeats what it was given, whatever that is", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), (number, cvc) => {
        const checked = checkCard({ ...card, number, cvc }, now);
        if (!checked.ok) expect(Object.keys(checked.error).sort()).toEqual(expect.arrayContaining(["code"]));
        if (!checked.ok)
          expect(JSON.stringify(checked.error)).toMatch(
            /^\{"code":"[A-Z_]+"(,"field":"(number|expiry|cvc)")?\}$/,
          );
      }),
    );
  });
});

it("shows no more of a number than it may", () => {
  expect([binOf("4242424242424242"), last4Of("4242424242424242")]).toEqual(["42424242", "4242"]);
  expect(binOf("378282246310005")).toBe("378282");
  expect(binOf("36227206271667")).toBe("362272");
});
