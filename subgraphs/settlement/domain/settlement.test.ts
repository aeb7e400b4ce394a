import { describe, expect, it } from "vitest";
import { newId } from "../../kernel/ids.ts";
import { availableOn } from "./availability.ts";
import { itemOf } from "./items.ts";

describe("the day on which money can be paid out", () => {
  // 2026-11-23 is a Monday.
  it.each([
    ["a Monday", "2026-11-23T10:00:00Z", 2, "2026-11-25"],
    ["a Thursday, over the weekend", "2026-11-26T10:00:00Z", 2, "2026-11-30"],
    ["a Friday", "2026-11-27T23:59:59Z", 1, "2026-11-30"],
    ["a Saturday counts as Monday", "2026-11-28T00:00:00Z", 2, "2026-12-02"],
    ["a Sunday without delay", "2026-11-29T12:00:00Z", 0, "2026-11-30"],
    ["a Monday without delay", "2026-11-23T12:00:00Z", 0, "2026-11-23"],
    ["over the turn of the year", "2026-12-31T12:00:00Z", 1, "2027-01-01"],
  ])("after %s", (_, captured, delay, day) => {
    expect(availableOn(new Date(captured), delay)).toBe(day);
  });
});

describe("what an event adds to what a merchant is owed", () => {
  const home = { region: 1, shard: 7 };
  const at = new Date("2026-11-23T10:00:00Z");
  const facts = { event: "e", merchant: newId("mer", home, at), at };
  const body = { payment: newId("pay", home, at) as string, currency: "EUR", amount: 10_000 };

  it("is a capture's net, after the delay", () => {
    const message = { type: "payment.captured.v1", body: { ...body, fee: 320, final: true } } as const;
    expect(itemOf({ ...facts, message }, 2)).toMatchObject({
      kind: "capture",
      gross: "10000",
      fee: "320",
      net: "9680",
      available_on: "2026-11-25",
      shard: 7,
    });
  });

  it("is a refund's amount, taken at once", () => {
    const message = { type: "payment.refunded.v1", body: { ...body, refund: "op_1" } } as const;
    expect(itemOf({ ...facts, message }, 2)).toMatchObject({
      kind: "refund",
      net: "-10000",
      fee: "0",
      available_on: "2026-11-23",
    });
  });

  it("is a refund's amount again when it came back: nothing is left of the two", () => {
    const refunded = { type: "payment.refunded.v1", body: { ...body, refund: "op_1" } } as const;
    const reversed = {
      type: "payment.refund_reversed.v1",
      body: { ...body, refund: "op_1", code: "refund_returned" },
    } as const;
    const [taken, back] = [refunded, reversed].map((message) => itemOf({ ...facts, message }, 2));
    expect(back).toMatchObject({
      kind: "refund_reversal",
      gross: "10000",
      fee: "0",
      available_on: "2026-11-23",
    });
    expect(BigInt(taken?.net ?? 1) + BigInt(back?.net ?? 1)).toBe(0n);
  });

  it("is nothing for what moves no money", () => {
    expect(itemOf({ ...facts, message: { type: "payment.authorized.v1", body } }, 2)).toBeNull();
    expect(
      itemOf({ ...facts, message: { type: "payment.declined.v1", body: { ...body, code: "x" } } }, 2),
    ).toBeNull();
  });
});
