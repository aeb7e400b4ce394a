/**
 * Refunds, declines and authentication through the official client.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  cardData,
  cardError,
  eventually,
  type Harness,
  QUICK,
  requestError,
  startHarness,
} from "./test-harness.ts";

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

describe("refunds", () => {
  const pay = (method = "pm_card_visa") =>
    harness.stripe.paymentIntents.create({
      amount: 1000,
      currency: "usd",
      confirm: true,
      ...CARD,
      payment_method: method,
    });

  test("in part, then the rest, then nothing is left", async () => {
    const paid = await pay();
    const part = await harness.stripe.refunds.create({
      payment_intent: paid.id,
      amount: 300,
      reason: "requested_by_customer",
      metadata: { line: "2" },
    });
    expect(part).toMatchObject({
      object: "refund",
      status: "succeeded",
      amount: 300,
      charge: paid.latest_charge,
    });
    const transaction = await harness.stripe.balanceTransactions.retrieve(String(part.balance_transaction));
    expect(transaction).toMatchObject({ amount: -300, fee: 0, net: -300, type: "refund", source: part.id });
    const over = await requestError(harness.stripe.refunds.create({ payment_intent: paid.id, amount: 701 }));
    expect(over).toMatchObject({ statusCode: 400, param: "amount", type: "StripeInvalidRequestError" });
    const rest = await harness.stripe.refunds.create({ charge: String(paid.latest_charge) });
    expect(rest.amount).toBe(700);
    const none = await requestError(harness.stripe.refunds.create({ payment_intent: paid.id }));
    expect(none.code).toBe("charge_already_refunded");
    const charge = await harness.stripe.charges.retrieve(String(paid.latest_charge));
    expect(charge).toMatchObject({ refunded: true, amount_refunded: 1000 });
    const { data } = await harness.stripe.refunds.list({ payment_intent: paid.id });
    expect(data.map((refund) => refund.id)).toEqual([rest.id, part.id]);
    const updated = await harness.stripe.refunds.update(part.id, { metadata: { line: "", note: "x" } });
    expect(updated.metadata).toEqual({ note: "x" });
  });

  test("pending at first, then succeeded", async () => {
    const paid = await pay("pm_card_pendingRefund");
    const made = await harness.stripe.refunds.create({ payment_intent: paid.id, amount: 600 });
    expect(made).toMatchObject({ status: "pending", balance_transaction: null });
    expect((await harness.control.book()).paymentIntents[paid.id]).toMatchObject({ refunded: 0 });
    // What is pending cannot be sent back a second time.
    const over = await requestError(harness.stripe.refunds.create({ payment_intent: paid.id, amount: 401 }));
    expect(over.param).toBe("amount");
    const done = await eventually(
      () => harness.stripe.refunds.retrieve(made.id),
      (refund) => refund.status !== "pending",
    );
    expect(done.status).toBe("succeeded");
    expect((await harness.control.book()).paymentIntents[paid.id]).toMatchObject({ refunded: 600, net: 400 });
  });

  test("succeeded at first, then failed: the money is there again", async () => {
    const paid = await pay("pm_card_refundFail");
    const made = await harness.stripe.refunds.create({ payment_intent: paid.id });
    expect(made.status).toBe("succeeded");
    const failed = await eventually(
      () => harness.stripe.refunds.retrieve(made.id),
      (refund) => refund.status === "failed",
    );
    expect(failed).toMatchObject({ status: "failed", failure_reason: expect.any(String) });
    expect(failed.failure_balance_transaction).toMatch(/^txn_/);
    const charge = await harness.stripe.charges.retrieve(String(paid.latest_charge));
    expect(charge).toMatchObject({ refunded: false, amount_refunded: 0 });
    const { movements, currencies } = await harness.control.book();
    expect(movements.map(({ kind }) => kind)).toEqual([
      "authorized",
      "captured",
      "refunded",
      "refund_failed",
    ]);
    expect(new Set(movements.slice(2).map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(currencies["usd"]).toMatchObject({ net: 1000 });
  });
});

describe("declines and authentication", () => {
  const attempt = (number: string, extra = {}) =>
    harness.stripe.paymentIntents.create({
      amount: 1000,
      currency: "usd",
      confirm: true,
      ...CARD,
      payment_method_data: cardData(number),
      ...extra,
    });

  test("a decline leaves a failed charge and a payment intent that can be tried again", async () => {
    const error = await cardError(attempt("4000000000009995"));
    expect(error).toMatchObject({
      statusCode: 402,
      code: "card_declined",
      decline_code: "insufficient_funds",
    });
    const intent = error.payment_intent;
    expect(intent).toMatchObject({ status: "requires_payment_method", payment_method: null });
    expect(intent?.last_payment_error).toMatchObject({ code: "card_declined", charge: error.charge });
    const charge = await harness.stripe.charges.retrieve(String(error.charge));
    expect(charge).toMatchObject({ status: "failed", paid: false, failure_code: "card_declined" });
    expect((await harness.control.book()).movements).toEqual([]);
    const paid = await harness.stripe.paymentIntents.confirm(String(intent?.id), {
      payment_method: "pm_card_visa",
    });
    expect(paid).toMatchObject({ status: "succeeded", last_payment_error: null });
    const { data } = await harness.stripe.charges.list({ payment_intent: paid.id });
    expect(data.map(({ status }) => status)).toEqual(["succeeded", "failed"]);
  });

  test("a card that must authenticate waits for its customer", async () => {
    const intent = await attempt("4000000000003220", { return_url: "https://shop.example/done?a=b" });
    expect(intent).toMatchObject({ status: "requires_action", latest_charge: null });
    const { url } = intent.next_action?.redirect_to_url ?? {};
    const page = await fetch(String(url));
    expect(await page.text()).toContain("Complete");
    const back = await fetch(String(url), {
      method: "POST",
      body: new URLSearchParams({ outcome: "succeed" }),
      redirect: "manual",
    });
    expect(back.status).toBe(303);
    const address = new URL(String(back.headers.get("location")));
    expect(address.origin).toBe("https://shop.example");
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      a: "b",
      payment_intent: intent.id,
      redirect_status: "succeeded",
    });
    const paid = await harness.stripe.paymentIntents.retrieve(intent.id, { expand: ["latest_charge"] });
    expect(paid.status).toBe("succeeded");
    expect(paid.latest_charge).toMatchObject({
      payment_method_details: { card: { three_d_secure: { result: "authenticated" } } },
    });
  });

  test("a customer who fails to authenticate leaves no charge", async () => {
    const intent = await attempt("4000002760003184");
    await harness.control.authenticate(intent.id, "fail");
    const after = await harness.stripe.paymentIntents.retrieve(intent.id);
    expect(after).toMatchObject({ status: "requires_payment_method", latest_charge: null });
    expect(after.last_payment_error?.code).toBe("payment_intent_authentication_failure");
  });

  test("with manual confirmation the merchant confirms once more after authentication", async () => {
    const intent = await attempt("4000002760003184", { confirmation_method: "manual" });
    expect((await harness.control.authenticate(intent.id, "succeed")).status).toBe("requires_confirmation");
    expect((await harness.stripe.paymentIntents.confirm(intent.id)).status).toBe("succeeded");
  });

  test.each([
    ["error_on_requires_action", { error_on_requires_action: true }, "authentication_not_handled"],
    ["off_session", { off_session: true }, "authentication_required"],
  ])("%s declines instead of asking", async (_name, extra, declineCode) => {
    const error = await cardError(attempt("4000002500003155", extra));
    expect(error).toMatchObject({
      statusCode: 402,
      code: "authentication_required",
      decline_code: declineCode,
    });
    expect(error.charge).toBeUndefined();
    expect(error.payment_intent?.status).toBe("requires_payment_method");
  });

  test("a card that is set up passes off session and asks on session", async () => {
    expect((await attempt("4000003800000446", { off_session: true })).status).toBe("succeeded");
    expect((await attempt("4000003800000446")).status).toBe("requires_action");
  });
});
