import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { answerBank, payByCard, pickOutcome } from "./control-client.ts";
import { FAILURE_REASONS } from "./failure-reasons.ts";
import { CAPTURE_FAILS_CARD, MAGIC_CARDS } from "./test-cards.ts";
import { type Harness, pause, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterEach(() => harness.control.reset());
afterAll(() => harness.running.stop());

const VISA = "4242424242424242";
const eur = (value: string) => ({ currency: "EUR", value });

async function paid(number: string, overrides: object = {}): Promise<string> {
  const { body } = await harness.create(overrides);
  const answer = await payByCard(body._links.checkout.href, { number });
  if (answer.redirectTo?.endsWith("/bank")) await answerBank(answer.redirectTo, "succeed");
  return body.id;
}

const shown = async (id: string) => (await harness.call("GET", `/v2/payments/${id}`)).body;
const totals = async (id: string) => (await harness.control.book({ payment: id })).payments[id];

describe("a payment", () => {
  it("waits for its payer, and is paid on the page", async () => {
    const { status, body } = await harness.create();
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: "open", amount: eur("10.00"), metadata: { order: "1" } });
    const answer = await payByCard(body._links.checkout.href, { number: VISA });
    expect(answer).toMatchObject({ payment: { status: "paid" }, redirectTo: "https://shop.example/return" });
    const details = { cardNumber: "4242", cardLabel: "Visa", cardFunding: "credit", cardSecurity: "normal" };
    expect(await shown(body.id)).toMatchObject({ status: "paid", amountCaptured: eur("10.00"), details });
    expect((await shown(body.id))._links.checkout).toBeUndefined();
    expect(await totals(body.id)).toMatchObject({ authorized: 1000, captured: 1000, held: 0 });
  });

  it("is only authorized with manual capture", async () => {
    const id = await paid(VISA, { captureMode: "manual" });
    const payment = await shown(id);
    expect(payment.status).toBe("authorized");
    expect(Date.parse(payment.captureBefore) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
    expect(await totals(id)).toMatchObject({ held: 1000, captured: 0 });
  });

  it.each(FAILURE_REASONS)("fails as %s with the card for it", async (reason) => {
    const id = await paid(MAGIC_CARDS[reason]);
    expect(await shown(id)).toMatchObject({ status: "failed", details: { failureReason: reason } });
    expect(await totals(id)).toBeUndefined();
  });

  it.each([
    ["4000000000009995", "insufficient_funds"],
    ["4000000000000069", "card_expired"],
    ["4000000000000127", "invalid_cvv"],
    ["4100000000000019", "possible_fraud"],
    ["4000008400001629", "card_declined"],
  ])("of test card %s fails as %s", async (number, reason) => {
    expect((await shown(await paid(number))).details.failureReason).toBe(reason);
  });

  it("asks the bank where the card wants it", async () => {
    for (const [outcome, status, reason] of [
      ["succeed", "paid", undefined],
      ["fail", "failed", "authentication_failed"],
      ["abandon", "failed", "authentication_abandoned"],
    ] as const) {
      const { body } = await harness.create();
      const asked = await payByCard(body._links.checkout.href, { number: "4000000000003220" });
      expect(asked.payment.status).toBe("open");
      const answer = await answerBank(String(asked.redirectTo), outcome);
      expect(answer.redirectTo).toBe("https://shop.example/return");
      const { details, ...payment } = await shown(body.id);
      expect([payment.status, details.failureReason]).toEqual([status, reason]);
      expect(details.card3dsEci).toBe(outcome === "succeed" ? "05" : undefined);
    }
  });

  it("is canceled by the payer, or by the merchant, once", async () => {
    const { body } = await harness.create();
    const answer = await pickOutcome(body._links.checkout.href, { outcome: "canceled" });
    expect(answer).toMatchObject({
      payment: { status: "canceled" },
      redirectTo: "https://shop.example/cancel",
    });
    const other = await harness.create();
    const path = `/v2/payments/${other.body.id}`;
    expect((await harness.call("DELETE", path)).body.status).toBe("canceled");
    expect((await harness.call("DELETE", path)).status).toBe(422);
    await harness.control.settings({ cancelOpen: false });
    const firm = await harness.create();
    expect(firm.body.isCancelable).toBe(false);
    expect((await harness.call("DELETE", `/v2/payments/${firm.body.id}`)).status).toBe(422);
  });

  it("expires when nobody pays, and a late payer is only sent back", async () => {
    await harness.control.settings({ openMs: 30 });
    const { body } = await harness.create();
    await harness.until(body.id, "expired");
    const answer = await payByCard(body._links.checkout.href, { number: VISA });
    expect(answer.payment.status).toBe("expired");
    expect(await totals(body.id)).toBeUndefined();
  });

  it("is pending first where that is ordered, and declined whatever the card", async () => {
    await harness.control.faults(
      { match: { operation: "create" }, times: 1, fault: { kind: "processing", afterMs: 50 } },
      { match: { operation: "create" }, fault: { kind: "decline", declineCode: "inactive_card" } },
    );
    const late = await paid(VISA);
    expect((await shown(late)).status).toBe("pending");
    await harness.until(late, "paid");
    expect((await shown(await paid(VISA))).details.failureReason).toBe("inactive_card");
  });

  it("is created once under a key, which is kept an hour", async () => {
    const first = await harness.create({}, "key-1");
    const again = await harness.create({}, "key-1");
    expect(again.body).toEqual(first.body);
    expect([first, again].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
    expect((await harness.create({ description: "Other" }, "key-1")).status).toBe(400);
    await harness.control.expireKeys();
    expect((await harness.create({}, "key-1")).body.id).not.toBe(first.body.id);
  });

  it("is refused with the field that is wrong", async () => {
    for (const [overrides, field] of [
      [{ amount: undefined }, "amount"],
      [{ amount: eur("10.0") }, "amount"],
      [{ amount: { currency: "JPY", value: "10.00" } }, "amount"],
      [{ amount: { currency: "XAU", value: "10.00" } }, "amount.currency"],
      [{ description: undefined }, "description"],
      [{ redirectUrl: undefined }, "redirectUrl"],
      [{ webhookUrl: "nowhere" }, "webhookUrl"],
      [{ method: "ideal" }, "method"],
      [{ captureMode: "later" }, "captureMode"],
      [{ sequenceType: "first" }, "customerId"],
      [{ metadata: { a: "x".repeat(1100) } }, "metadata"],
      [{ applicationFee: {} }, "applicationFee"],
    ] as const) {
      const { status, body } = await harness.create(overrides);
      expect([status, body.field]).toEqual([422, field]);
    }
  });

  it("can be shown with a status that it does not have, once", async () => {
    const id = await paid(VISA);
    const parameters = { status: "open" };
    await harness.control.faults({
      times: 1,
      fault: { kind: "quirk", quirk: "contradict_status", parameters },
    });
    expect((await shown(id)).status).toBe("open");
    expect((await shown(id)).status).toBe("paid");
  });
});

describe("a capture", () => {
  const capture = (id: string, body: object = {}, key?: string) =>
    harness.call(
      "POST",
      `/v2/payments/${id}/captures`,
      body,
      key === undefined ? {} : { "idempotency-key": key },
    );

  it("takes all, a little later", async () => {
    const id = await paid(VISA, { captureMode: "manual" });
    const made = await capture(id, { metadata: { capture: "1" } });
    expect([made.status, made.body.status]).toEqual([201, "pending"]);
    await harness.until(id, "paid");
    const { body } = await harness.call("GET", `/v2/payments/${id}/captures`);
    expect(body._embedded.captures).toMatchObject([{ status: "succeeded", amount: eur("10.00") }]);
    expect(await totals(id)).toMatchObject({ captured: 1000, released: 0, held: 0 });
    expect((await capture(id)).status).toBe(422);
  });

  it("takes a part, and the rest is let go, for a card has one capture", async () => {
    const id = await paid(VISA, { captureMode: "manual" });
    expect((await capture(id, { amount: eur("10.01") })).body.field).toBe("amount");
    await capture(id, { amount: eur("4.00") });
    expect((await capture(id, { amount: eur("4.00") })).status).toBe(422);
    const payment = await harness.until(id, "paid");
    expect(payment).toMatchObject({ amountCaptured: eur("4.00"), amountRemaining: eur("4.00") });
    expect(await totals(id)).toMatchObject({ captured: 400, released: 600, held: 0 });
  });

  it("takes several parts where Mollie has enabled it, and what is left can be released", async () => {
    await harness.control.settings({ multicapture: true });
    const id = await paid(VISA, { captureMode: "manual" });
    await capture(id, { amount: eur("4.00") });
    await capture(id, { amount: eur("5.00") });
    expect((await capture(id, { amount: eur("1.01") })).status).toBe(422);
    await pause(120);
    expect(await shown(id)).toMatchObject({ status: "authorized", amountCaptured: eur("9.00") });
    expect((await harness.call("POST", `/v2/payments/${id}/release-authorization`, {})).status).toBe(202);
    await harness.until(id, "paid");
    expect(await totals(id)).toMatchObject({ captured: 900, released: 100, held: 0 });
  });

  it("fails at the issuer, and the payment with it", async () => {
    const id = await paid(CAPTURE_FAILS_CARD, { captureMode: "manual" });
    const { body } = await capture(id);
    await harness.until(id, "failed");
    expect((await harness.call("GET", `/v2/payments/${id}/captures/${body.id}`)).body.status).toBe("failed");
    expect(await totals(id)).toMatchObject({ captured: 0, released: 1000, held: 0 });
  });

  it("is made once under a key", async () => {
    const id = await paid(VISA, { captureMode: "manual" });
    const [first, again] = [await capture(id, {}, "c"), await capture(id, {}, "c")];
    expect(again.body.id).toBe(first.body.id);
    await harness.until(id, "paid");
    expect(await totals(id)).toMatchObject({ captured: 1000 });
  });
});

describe("an authorization", () => {
  it("is released a little after it was asked, and not while it is captured", async () => {
    const id = await paid(VISA, { captureMode: "manual" });
    const ask = () => harness.call("POST", `/v2/payments/${id}/release-authorization`, {});
    expect([(await ask()).status, (await ask()).status]).toEqual([202, 422]);
    await harness.until(id, "canceled");
    expect(await totals(id)).toMatchObject({ released: 1000, held: 0 });
    const other = await paid(VISA, { captureMode: "manual" });
    await harness.call("POST", `/v2/payments/${other}/captures`, {});
    expect((await harness.call("POST", `/v2/payments/${other}/release-authorization`, {})).status).toBe(422);
  });

  it("expires, and what was held is let go", async () => {
    await harness.control.settings({ captureWindowMs: 30 });
    const id = await paid(VISA, { captureMode: "manual" });
    await harness.until(id, "expired");
    expect(await totals(id)).toMatchObject({ released: 1000, held: 0 });
  });
});
