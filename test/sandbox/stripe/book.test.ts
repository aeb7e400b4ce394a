/**
 * The book against the objects: after any run of operations, with faults among them, both tell the same story.
 */

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Totals } from "../kit/book.ts";
import { type BareAnswer, type Harness, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());

const INTENTS = "/v1/payment_intents";
const METHODS = [
  "pm_card_visa",
  "pm_card_pendingRefund",
  "pm_card_refundFail",
  "pm_card_visa_chargeDeclined",
  "pm_card_amex",
];
const FAULTS = [
  { kind: "lose_response" },
  { kind: "status", status: 500 },
  { kind: "status_after", status: 500 },
  { kind: "garbage", work: true },
  { kind: "land_late", afterMs: 5 },
] as const;

const amount = fc.integer({ min: 1, max: 1200 });
const operation = fc.oneof(
  fc.record({
    kind: fc.constant("pay" as const),
    method: fc.constantFrom(...METHODS),
    currency: fc.constantFrom("usd", "eur", "jpy"),
    manual: fc.boolean(),
    multicapture: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("capture" as const),
    which: fc.nat(9),
    amount: fc.option(amount),
    final: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant("refund" as const), which: fc.nat(9), amount: fc.option(amount) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
const step = fc.record({ operation, fault: fc.option(fc.constantFrom(...FAULTS), { freq: 4 }) });

/** Sends one operation; an answer that does not come is part of the game. */
async function perform(operation: Operation): Promise<BareAnswer | null> {
  const send = (path: string, params: Parameters<Harness["bare"]>[2]) =>
    harness.bare("POST", path, params).catch(() => null);
  if (operation.kind === "pay") {
    return send(INTENTS, {
      amount: 1000,
      currency: operation.currency,
      confirm: true,
      payment_method_types: ["card"],
      payment_method: operation.method,
      capture_method: operation.manual ? "manual" : "automatic",
      payment_method_options: {
        card: { request_multicapture: operation.multicapture ? "if_available" : "never" },
      },
    });
  }
  const intents = await allIntents();
  const id = intents[operation.which % Math.max(1, intents.length)]?.id ?? "pi_none";
  if (operation.kind === "cancel") return send(`${INTENTS}/${id}/cancel`, {});
  if (operation.kind === "refund")
    return send("/v1/refunds", { payment_intent: id, amount: operation.amount ?? undefined });
  return send(`${INTENTS}/${id}/capture`, {
    amount_to_capture: operation.amount ?? undefined,
    final_capture: operation.final,
  });
}

type Intent = {
  id: string;
  amount: number;
  currency: string;
  status: string;
  amount_capturable: number;
  amount_received: number;
  latest_charge: { status: string; amount_captured: number; amount_refunded: number } | null;
};

async function allIntents(): Promise<Intent[]> {
  return (await harness.bare("GET", INTENTS, { limit: 100, expand: ["data.latest_charge"] })).body.data;
}

function check(intent: Intent, totals: Totals | undefined): void {
  const charge = intent.latest_charge?.status === "succeeded" ? intent.latest_charge : null;
  if (charge === null) {
    expect(totals).toBeUndefined();
    return;
  }
  expect(totals).toMatchObject({
    authorized: intent.amount,
    captured: intent.amount_received,
    held: intent.amount_capturable,
    net: charge.amount_captured - charge.amount_refunded,
  });
  expect(charge.amount_captured).toBe(intent.amount_received);
  expect(totals?.net).toBeGreaterThanOrEqual(0);
  expect(totals?.held).toBeGreaterThanOrEqual(0);
  if (intent.status !== "requires_capture") expect(totals?.held).toBe(0);
}

test("the book's sums agree with the objects after any operations", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await harness.control.reset();
      await harness.control.settings({ refundDelayMs: 3, asyncCaptureLagMs: 0 });
      for (const { operation, fault } of steps) {
        await harness.control.faults(
          ...(fault === null ? [] : [{ fault, times: 1, match: { method: "POST" } }]),
        );
        await perform(operation);
      }
      // Late requests and refunds that change by themselves have had their time by then.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const book = await harness.control.book();
      const intents = await allIntents();
      for (const intent of intents) check(intent, book.paymentIntents[intent.id]);
      expect(Object.keys(book.paymentIntents).every((id) => intents.some((intent) => intent.id === id))).toBe(
        true,
      );
      await checkBalance(book.currencies);
      expect(book.movements.map(({ sequence }) => sequence)).toEqual(
        book.movements.map((_, index) => index + 1),
      );
    }),
    { numRuns: 40 },
  );
});

/** Gross amounts of the balance transactions are the book's net, currency by currency. */
async function checkBalance(currencies: Readonly<Record<string, Totals>>): Promise<void> {
  const { data } = (await harness.bare("GET", "/v1/balance_transactions", { limit: 100 })).body;
  for (const [currency, totals] of Object.entries(currencies)) {
    const rows = (data as { currency: string; amount: number; fee: number; net: number }[]).filter(
      (row) => row.currency === currency,
    );
    expect(rows.reduce((sum, row) => sum + row.amount, 0)).toBe(totals.net);
    for (const row of rows) expect(row.net).toBe(row.amount - row.fee);
  }
}

test("filters: by metadata of the payment or of the refund, by payment intent, by sequence", async () => {
  await harness.control.reset();
  const pay = async (order: string): Promise<string> =>
    (
      await harness.bare("POST", INTENTS, {
        amount: 1000,
        currency: "usd",
        confirm: true,
        payment_method: "pm_card_visa",
        metadata: { order },
      })
    ).body.id;
  const [one, two] = [await pay("1"), await pay("2")];
  await harness.bare("POST", "/v1/refunds", { payment_intent: two, amount: 100, metadata: { slip: "x" } });
  const { control } = harness;
  expect((await control.book({ metadata: { order: "1" } })).movements.map(({ kind }) => kind)).toEqual([
    "authorized",
    "captured",
  ]);
  expect((await control.book({ metadata: { slip: "x" } })).movements).toMatchObject([
    { kind: "refunded", last4: "4242" },
  ]);
  expect((await control.book({ metadata: { order: "2", slip: "x" } })).movements).toHaveLength(1);
  expect(Object.keys((await control.book({ payment_intent: one })).paymentIntents)).toEqual([one]);
  expect((await control.book({ since: 4 })).movements.map(({ sequence }) => sequence)).toEqual([5]);
});
