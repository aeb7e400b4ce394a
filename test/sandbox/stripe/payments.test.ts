/**
 * Payments through the official client, which knows nothing of this sandbox: charged, held, captured, found again.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cardData, eventually, type Harness, QUICK, requestError, startHarness } from "./test-harness.ts";

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());
beforeEach(async () => {
  await harness.control.reset();
  await harness.control.settings(QUICK);
});

const CARD = { payment_method_types: ["card"] };

describe("a payment captured at once", () => {
  test("confirms on creation, charges, and shows its charge when asked", async () => {
    const intent = await harness.stripe.paymentIntents.create({
      amount: 4200,
      currency: "eur",
      confirm: true,
      capture_method: "automatic",
      ...CARD,
      payment_method_data: { ...cardData("4000002760000016"), billing_details: { name: "Ada" } },
      description: "three books",
      statement_descriptor_suffix: "BOOKS",
      metadata: { order: "7" },
      expand: ["latest_charge.balance_transaction"],
    });
    const charge = intent.latest_charge;
    if (charge === null || typeof charge === "string") throw new Error("the charge was not expanded");
    const transaction = charge.balance_transaction;
    if (transaction === null || typeof transaction === "string")
      throw new Error("the transaction was not expanded");
    expect(intent).toMatchObject({
      object: "payment_intent",
      status: "succeeded",
      amount_received: 4200,
      amount_capturable: 0,
      livemode: false,
      metadata: { order: "7" },
      description: "three books",
      last_payment_error: null,
      next_action: null,
    });
    expect(intent.id).toMatch(/^pi_/);
    expect(intent.created).toBeCloseTo(Date.now() / 1000, -1);
    expect(charge).toMatchObject({
      paid: true,
      captured: true,
      refunded: false,
      amount_captured: 4200,
      payment_intent: intent.id,
      outcome: { type: "authorized", network_status: "approved_by_network", risk_level: "normal" },
      billing_details: { name: "Ada" },
      metadata: { order: "7" },
    });
    expect(charge.payment_method_details?.card).toMatchObject({
      brand: "visa",
      last4: "0016",
      country: "DE",
      funding: "credit",
      checks: { cvc_check: "pass" },
    });
    // 2.9 % of 42.00 is 1.218, rounded to 1.22, and 0.30.
    expect(transaction).toMatchObject({
      amount: 4200,
      fee: 152,
      net: 4048,
      type: "charge",
      source: charge.id,
    });
  });

  test("confirms in a second step with a payment method made before", async () => {
    const method = await harness.stripe.paymentMethods.create(cardData("5555555555554444"));
    expect(method).toMatchObject({ type: "card", card: { brand: "mastercard", last4: "4444" } });
    expect((await harness.stripe.paymentMethods.retrieve(method.id)).card?.fingerprint).toBe(
      method.card?.fingerprint,
    );
    const created = await harness.stripe.paymentIntents.create({ amount: 500, currency: "usd", ...CARD });
    expect(created.status).toBe("requires_payment_method");
    const updated = await harness.stripe.paymentIntents.update(created.id, { payment_method: method.id });
    expect(updated.status).toBe("requires_confirmation");
    const paid = await harness.stripe.paymentIntents.confirm(created.id);
    expect(paid).toMatchObject({ status: "succeeded", payment_method: method.id });
    const again = await requestError(
      harness.stripe.paymentIntents.create({
        amount: 500,
        currency: "usd",
        confirm: true,
        ...CARD,
        payment_method: method.id,
      }),
    );
    expect(again.statusCode).toBe(400);
  });

  test("an asynchronous capture shows its balance transaction a little later", async () => {
    await harness.control.settings({ asyncCaptureLagMs: 200 });
    const intent = await harness.stripe.paymentIntents.create({
      amount: 900,
      currency: "usd",
      confirm: true,
      ...CARD,
      payment_method: "pm_card_visa",
    });
    expect(intent.capture_method).toBe("automatic_async");
    const id = String(intent.latest_charge);
    const read = (): Promise<{ balance_transaction: unknown }> => harness.stripe.charges.retrieve(id);
    expect((await read()).balance_transaction).toBeNull();
    expect(
      (await eventually(read, (charge) => charge.balance_transaction !== null)).balance_transaction,
    ).toMatch(/^txn_/);
  });
});

describe("a payment captured later", () => {
  const hold = (amount = 1000, extra = {}) =>
    harness.stripe.paymentIntents.create({
      amount,
      currency: "usd",
      confirm: true,
      capture_method: "manual",
      ...CARD,
      payment_method: "pm_card_visa",
      ...extra,
    });

  test("holds, then captures in full", async () => {
    const held = await hold();
    expect(held).toMatchObject({ status: "requires_capture", amount_capturable: 1000, amount_received: 0 });
    const charge = await harness.stripe.charges.retrieve(String(held.latest_charge));
    expect(charge).toMatchObject({
      captured: false,
      paid: true,
      status: "succeeded",
      balance_transaction: null,
    });
    expect(charge.payment_method_details?.card?.capture_before).toBe(charge.created + 7 * 24 * 3600);
    const captured = await harness.stripe.paymentIntents.capture(held.id, { metadata: { shipped: "yes" } });
    expect(captured).toMatchObject({
      status: "succeeded",
      amount_received: 1000,
      metadata: { shipped: "yes" },
    });
  });

  test("a partial capture gives the rest back", async () => {
    const held = await hold();
    const captured = await harness.stripe.paymentIntents.capture(held.id, { amount_to_capture: 400 });
    expect(captured).toMatchObject({ status: "succeeded", amount_received: 400, amount_capturable: 0 });
    const { paymentIntents } = await harness.control.book();
    expect(paymentIntents[held.id]).toMatchObject({
      authorized: 1000,
      captured: 400,
      released: 600,
      held: 0,
      net: 400,
    });
    const second = await requestError(harness.stripe.paymentIntents.capture(held.id));
    expect(second.code).toBe("payment_intent_unexpected_state");
    expect(second.payment_intent?.id).toBe(held.id);
  });

  test("cancel releases the hold, once", async () => {
    const held = await hold();
    const canceled = await harness.stripe.paymentIntents.cancel(held.id, {
      cancellation_reason: "abandoned",
    });
    expect(canceled).toMatchObject({
      status: "canceled",
      cancellation_reason: "abandoned",
      amount_capturable: 0,
    });
    expect(canceled.canceled_at).toBeGreaterThan(0);
    const again = await requestError(harness.stripe.paymentIntents.cancel(held.id));
    expect(again).toMatchObject({ code: "payment_intent_unexpected_state", statusCode: 400 });
    const refund = await requestError(harness.stripe.refunds.create({ payment_intent: held.id }));
    expect(refund.statusCode).toBe(400);
    expect((await harness.control.book()).currencies["usd"]).toMatchObject({
      released: 1000,
      held: 0,
      net: 0,
    });
  });

  test("more than is held cannot be captured", async () => {
    const held = await hold();
    const error = await requestError(
      harness.stripe.paymentIntents.capture(held.id, { amount_to_capture: 1001 }),
    );
    expect(error).toMatchObject({
      code: "amount_too_large",
      statusCode: 400,
      payment_intent: { id: held.id },
    });
    expect((await harness.stripe.paymentIntents.retrieve(held.id)).status).toBe("requires_capture");
  });

  test("multicapture keeps the rest until the final capture", async () => {
    const options = { payment_method_options: { card: { request_multicapture: "if_available" as const } } };
    const held = await hold(1000, { ...options, expand: ["latest_charge"] });
    const charge = held.latest_charge as { id: string; payment_method_details: unknown };
    expect(charge.payment_method_details).toMatchObject({ card: { multicapture: { status: "available" } } });
    const first = await harness.stripe.paymentIntents.capture(held.id, {
      amount_to_capture: 700,
      final_capture: false,
    });
    expect(first).toMatchObject({ status: "requires_capture", amount_capturable: 300, amount_received: 700 });
    expect(await harness.stripe.charges.retrieve(charge.id)).toMatchObject({
      captured: false,
      amount_captured: 700,
    });
    const last = await harness.stripe.paymentIntents.capture(held.id, { amount_to_capture: 200 });
    expect(last).toMatchObject({ status: "succeeded", amount_capturable: 0, amount_received: 900 });
    const { data } = await harness.stripe.balanceTransactions.list({ source: charge.id });
    expect(data.map((transaction) => transaction.amount)).toEqual([200, 700]);
  });

  test("a capture of zero closes a payment that was captured in part", async () => {
    const options = { payment_method_options: { card: { request_multicapture: "if_available" as const } } };
    const held = await hold(1000, options);
    await harness.stripe.paymentIntents.capture(held.id, { amount_to_capture: 100, final_capture: false });
    const closed = await harness.stripe.paymentIntents.capture(held.id, {
      amount_to_capture: 0,
      final_capture: true,
    });
    expect(closed).toMatchObject({ status: "succeeded", amount_received: 100, amount_capturable: 0 });
    expect((await harness.control.book()).paymentIntents[held.id]).toMatchObject({
      captured: 100,
      released: 900,
    });
  });

  test("without multicapture there is one capture only", async () => {
    const plain = await hold();
    const options = { amount_to_capture: 100, final_capture: false };
    const refused = await requestError(harness.stripe.paymentIntents.capture(plain.id, options));
    expect(refused).toMatchObject({ param: "final_capture", statusCode: 400 });
    await harness.control.settings({ multicapture: false });
    const wanted = await hold(1000, {
      payment_method_options: { card: { request_multicapture: "if_available" } },
    });
    expect((await requestError(harness.stripe.paymentIntents.capture(wanted.id, options))).param).toBe(
      "final_capture",
    );
  });
});

describe("finding payments again", () => {
  const make = (order: string) =>
    harness.stripe.paymentIntents.create({ amount: 1000, currency: "usd", ...CARD, metadata: { order } });

  test("lists are newest first, paged by cursor, and complete at once", async () => {
    const ids: string[] = [];
    for (let order = 0; order < 5; order++) ids.unshift((await make(String(order))).id);
    const first = await harness.stripe.paymentIntents.list({ limit: 2 });
    expect(first).toMatchObject({ object: "list", has_more: true, url: "/v1/payment_intents" });
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await harness.stripe.paymentIntents.list({ limit: 2, starting_after: String(ids[1]) });
    expect(second.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    const before = await harness.stripe.paymentIntents.list({ limit: 2, ending_before: String(ids[3]) });
    expect(before.data.map(({ id }) => id)).toEqual(ids.slice(1, 3));
    expect(before.has_more).toBe(true);
    const all: string[] = [];
    for await (const intent of harness.stripe.paymentIntents.list({ limit: 2 })) all.push(intent.id);
    expect(all).toEqual(ids);
    const now = Math.floor(Date.now() / 1000);
    expect(
      (await harness.stripe.paymentIntents.list({ created: { gte: now - 60, lte: now } })).data,
    ).toHaveLength(5);
    expect((await harness.stripe.paymentIntents.list({ created: { gt: now + 60 } })).data).toEqual([]);
    expect((await harness.stripe.paymentIntents.list({ created: { lt: now - 60 } })).data).toEqual([]);
  });

  test("search sees a payment a little later, by its metadata", async () => {
    await harness.control.settings({ searchLagMs: 200 });
    const made = await make("it's 7");
    const query = "metadata['order']:'it\\'s 7'";
    const search = () => harness.stripe.paymentIntents.search({ query });
    expect((await search()).data).toEqual([]);
    const found = await eventually(search, ({ data }) => data.length > 0);
    expect(found).toMatchObject({ object: "search_result", has_more: false, next_page: null });
    expect(found.data[0]?.id).toBe(made.id);
  });

  test("search pages", async () => {
    await harness.control.settings({ searchLagMs: 0 });
    for (let order = 0; order < 3; order++) await make("same");
    const found: string[] = [];
    for await (const intent of harness.stripe.paymentIntents.search({
      query: "metadata['order']:'same'",
      limit: 2,
    })) {
      found.push(intent.id);
    }
    expect(new Set(found).size).toBe(3);
  });
});
