import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { feeForCapture } from "./fees.ts";

const prices = { default: { bps: 290, fixed: 30n } };

describe("the fee", () => {
  it("adds up over parts to what one capture costs, and never exceeds what is captured", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(1n, 100_000n), { minLength: 1, maxLength: 20 }), (parts) => {
        const total = parts.reduce((sum, part) => sum + part, 0n);
        let [before, fee] = [0n, 0n];
        for (const amount of parts) {
          const added = feeForCapture(prices, "EUR", { before, amount, feeBefore: fee });
          expect(added >= 0n && added <= amount).toBe(true);
          before += amount;
          fee += added;
        }
        const whole = feeForCapture(prices, "EUR", { before: 0n, amount: total, feeBefore: 0n });
        // A first part smaller than the fixed fee pays what it can; later parts make up for it if they can.
        expect(fee <= whole).toBe(true);
        if (parts.every((part) => part > 1_000n)) expect(fee).toBe(whole);
      }),
    );
  });

  it("takes the currency's own price", () => {
    const list = { default: { bps: 100, fixed: 0n }, USD: { bps: 290, fixed: 30n } };
    expect(feeForCapture(list, "USD", { before: 0n, amount: 10_000n, feeBefore: 0n })).toBe(320n);
    expect(feeForCapture(list, "JPY", { before: 0n, amount: 10_000n, feeBefore: 0n })).toBe(100n);
  });
});
