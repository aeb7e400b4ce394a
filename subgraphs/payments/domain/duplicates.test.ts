import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { homeFor, newId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { canBeDuplicated, cardUseOf, lowestUuid, type Paid, suspicionsOf } from "./duplicates.ts";
import { samplePayment } from "./samples.ts";

const merchant = newId("mer", homeFor(1, 7), new Date());
const paid: Paid = {
  merchant,
  amount: moneyOf(4_900n, "EUR"),
  card: { fingerprint: "fp_1" },
  stored: null,
};
const stored = (
  initiator: "customer" | "merchant",
  reason: "on_demand" | "recurring" | "installment" | "unscheduled",
) => ({ stored: { initiator, reason, first: false, networkTransactionId: null } }) as const;

describe("what duplicates have in common", () => {
  it("is merchant, card, amount and currency, and nothing else", () => {
    const use = cardUseOf(paid);
    expect(cardUseOf({ ...paid, ...stored("customer", "recurring") })).toBe(use);
    const others: Partial<Paid>[] = [
      { merchant: newId("mer", homeFor(1, 7), new Date()) },
      { card: { fingerprint: "fp_2" } },
      { amount: moneyOf(4_901n, "EUR") },
      { amount: moneyOf(4_900n, "USD") },
    ];
    const uses = [use, ...others.map((other) => cardUseOf({ ...paid, ...other }))];
    expect(new Set(uses).size).toBe(uses.length);
  });

  it("is a number that a bigint column takes", () => {
    fc.assert(
      fc.property(fc.string(), fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }), (fingerprint, minor) => {
        const use = BigInt(
          cardUseOf({ ...paid, card: { fingerprint }, amount: moneyOf(minor, "EUR") }) ?? -1n,
        );
        expect(use >= 0n && use < 2n ** 63n).toBe(true);
      }),
    );
  });

  it.each([
    ["customer", "on_demand", true],
    ["customer", "recurring", true],
    ["merchant", "unscheduled", true],
    ["merchant", "recurring", false],
    ["merchant", "installment", false],
  ] as const)("is looked at where the %s pays %s: %s", (initiator, reason, watched) => {
    expect(cardUseOf({ ...paid, ...stored(initiator, reason) }) !== null).toBe(watched);
  });
});

it("what took nothing in the end can be asked for again", () => {
  expect((["declined", "failed", "voided", "expired", "refunded"] as const).some(canBeDuplicated)).toBe(
    false,
  );
  expect(
    (
      [
        "processing",
        "requires_action",
        "in_review",
        "authorized",
        "partially_captured",
        "captured",
        "partially_refunded",
      ] as const
    ).every(canBeDuplicated),
  ).toBe(true);
});

it("a moment's lowest id is not above its others, and above all before it", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(1), max: new Date("9999-01-01"), noInvalidDate: true }), (at) => {
      const before = new Date(at.getTime() - 1);
      expect(lowestUuid(at) <= uuidOf(newId("pay", homeFor(1, 255), at))).toBe(true);
      expect(uuidOf(newId("pay", homeFor(255, 255), before)) < lowestUuid(at)).toBe(true);
    }),
  );
});

it("a payment that looks like a duplicate says so once, of which", () => {
  const at = new Date();
  const payment = samplePayment();
  expect(suspicionsOf(payment, at)).toEqual([]);
  const duplicateOf = newId("pay", homeFor(1, 7), at);
  expect(suspicionsOf({ ...payment, terms: { ...payment.terms, duplicateOf } }, at)).toMatchObject([
    {
      type: "payment.duplicate_suspected.v1",
      payment: payment.id,
      body: {
        payment: payment.id,
        duplicateOf,
        currency: payment.amount.currency,
        amount: Number(payment.amount.minor),
      },
    },
  ]);
});
