import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { publishedFile } from "../stripe/published-data.ts";
import { signatureOf } from "./notifications.ts";
import { CAPTURE_FAILS_LATER, REFUND_REVERSED_LATER } from "./test-cards.ts";
import {
  amount,
  eventually,
  type Harness,
  MERCHANT_ACCOUNT,
  newReference,
  payment,
  startHarness,
} from "./test-harness.ts";
import { type AdyenEvent, SANDBOX_HMAC_KEY } from "./world.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterEach(() => harness.control.clearFaults());
afterAll(() => harness.stop());

const hold = async (number = "4242424242424242", extra: Record<string, unknown> = {}): Promise<string> =>
  (await harness.post("/payments", payment(number, extra))).body.pspReference;
const own = () => ({ merchantAccount: MERCHANT_ACCOUNT, reference: newReference() });
const bookOf = async (pspReference: string) =>
  (await harness.control.book({ payment: pspReference })).payments[pspReference];

/** Sends a modification and waits for its outcome: "true" or "false" and the reason. */
async function modify(payment: string, what: string, body: object, eventCode: string): Promise<string> {
  const answer = await harness.post(`/payments/${payment}/${what}`, body);
  expect(answer.body).toMatchObject({ status: "received", paymentPspReference: payment });
  const told = await harness.news(eventCode, answer.body.pspReference);
  expect(told).toMatchObject({ originalReference: payment, merchantReference: answer.body.reference });
  return told.success;
}

describe("a payment's life", () => {
  test("is taken at once, and decided later", async () => {
    const held = await hold();
    await harness.control.settings({ modificationDelayMs: 60 });
    const { status, body } = await harness.post(`/payments/${held}/captures`, amount(1000));
    expect([status, body.status]).toEqual([201, "received"]);
    expect(await bookOf(held)).toMatchObject({ captured: 0 });
    await harness.control.settings({ modificationDelayMs: 5 });
    expect(await harness.news("CAPTURE", body.pspReference)).toMatchObject({
      success: "true",
      amount: { value: 1000 },
    });
    expect(await bookOf(held)).toMatchObject({ captured: 1000, held: 0 });
  });

  test("captured in parts, never beyond what is authorised, and refunded in parts", async () => {
    const held = await hold();
    expect(await modify(held, "refunds", amount(1), "REFUND")).toBe("false");
    expect(await modify(held, "captures", amount(600), "CAPTURE")).toBe("true");
    expect(await modify(held, "captures", amount(401), "CAPTURE")).toBe("false");
    expect(await modify(held, "captures", amount(400), "CAPTURE")).toBe("true");
    expect(await modify(held, "cancels", own(), "CANCELLATION")).toBe("false");
    expect(await modify(held, "refunds", amount(700), "REFUND")).toBe("true");
    expect(await modify(held, "refunds", amount(301), "REFUND")).toBe("false");
    expect(await modify(held, "reversals", own(), "CANCEL_OR_REFUND")).toBe("true");
    expect(await bookOf(held)).toMatchObject({ authorized: 1000, captured: 1000, refunded: 1000, held: 0 });
  });

  test("with one capture only, the rest is released", async () => {
    await harness.control.settings({ multiplePartialCaptures: false });
    const held = await hold();
    expect(await modify(held, "captures", amount(600), "CAPTURE")).toBe("true");
    expect(await modify(held, "captures", amount(100), "CAPTURE")).toBe("false");
    await harness.control.settings({ multiplePartialCaptures: true });
    expect(await bookOf(held)).toMatchObject({ captured: 600, released: 400, held: 0 });
  });

  test("raised and lowered while it is a pre-authorisation, and cancelled", async () => {
    const preAuth = { additionalData: { manualCapture: "true", authorisationType: "PreAuth" } };
    const held = await hold("5555555555554444", preAuth);
    expect(await modify(held, "amountUpdates", amount(1500), "AUTHORISATION_ADJUSTMENT")).toBe("true");
    expect(await modify(held, "amountUpdates", amount(1200), "AUTHORISATION_ADJUSTMENT")).toBe("true");
    expect(await bookOf(held)).toMatchObject({ authorized: 1500, released: 300, held: 1200 });
    expect(await modify(held, "cancels", own(), "CANCELLATION")).toBe("true");
    expect(await bookOf(held)).toMatchObject({ released: 1500, held: 0 });
    expect(await modify(held, "captures", amount(1), "CAPTURE")).toBe("false");
    expect(await modify(await hold(), "amountUpdates", amount(1500), "AUTHORISATION_ADJUSTMENT")).toBe(
      "false",
    );
  });

  test("called off by the merchant's own reference", async () => {
    const reference = newReference();
    const held = await hold("4242424242424242", { reference });
    const { body } = await harness.post("/cancels", { ...own(), paymentReference: reference });
    const told = await harness.news("TECHNICAL_CANCEL", body.pspReference);
    expect(told).toMatchObject({ success: "true", originalReference: held, merchantReference: reference });
    const none = await harness.post("/cancels", { ...own(), paymentReference: newReference() });
    expect(await harness.news("TECHNICAL_CANCEL", none.body.pspReference)).toMatchObject({
      success: "false",
    });
  });

  test("a fault makes a modification fail", async () => {
    const held = await hold();
    await harness.control.faults({
      match: { operation: "capture" },
      fault: { kind: "decline", declineCode: "9" },
    });
    expect(await modify(held, "captures", amount(1000), "CAPTURE")).toBe("false");
    expect(await bookOf(held)).toMatchObject({ captured: 0, held: 1000 });
  });
});

describe("what comes undone", () => {
  const QUICK = { lateFailureMs: 10, modificationDelayMs: 5, slowRefundMs: 40 };
  beforeAll(async () => void (await harness.control.settings(QUICK)));

  test("a capture that the scheme rejects", async () => {
    const held = await hold(CAPTURE_FAILS_LATER);
    const { body } = await harness.post(`/payments/${held}/captures`, amount(1000));
    expect(await harness.news("CAPTURE", body.pspReference)).toMatchObject({ success: "true" });
    expect(await harness.news("CAPTURE_FAILED", body.pspReference)).toMatchObject({ success: "true" });
    expect(await bookOf(held)).toMatchObject({ captured: 1000, net: 0, held: 0 });
  });

  test.each([
    ["4000000000005126", "REFUND_FAILED"],
    [REFUND_REVERSED_LATER, "REFUNDED_REVERSED"],
  ])("a refund of %s: %s", async (number, eventCode) => {
    const sold = await hold(number, { additionalData: {} });
    const { body } = await harness.post(`/payments/${sold}/refunds`, amount(300));
    expect(await harness.news("REFUND", body.pspReference)).toMatchObject({ success: "true" });
    expect(await harness.news(eventCode, body.pspReference)).toMatchObject({
      success: "true",
      originalReference: sold,
    });
    expect(await bookOf(sold)).toMatchObject({ refunded: 300, refund_failed: 300, net: 1000 });
  });

  test("a slow refund succeeds in the end", async () => {
    const sold = await hold("4000000000007726", { additionalData: {} });
    expect(await modify(sold, "refunds", amount(300), "REFUND")).toBe("true");
  });
});

describe("webhooks", () => {
  const vectors = publishedFile("adyen/hmac-vectors.json");

  test.skipIf(vectors === null)("are signed as the published vector is", () => {
    const { hmacKeyHex, notification: item, hmacSignature } = JSON.parse(vectors?.toString("utf8") ?? "{}");
    const event = {
      ...item,
      amount: item.amount.value,
      currency: item.amount.currency,
      type: item.eventCode,
      success: item.success === "true",
      merchantAccount: item.merchantAccountCode,
    } as AdyenEvent;
    expect(signatureOf(event, hmacKeyHex)).toBe(hmacSignature);
    expect(signatureOf({ ...event, amount: event.amount + 1 }, hmacKeyHex)).not.toBe(hmacSignature);
  });

  test("hold their signature, and basic authentication where wanted", async () => {
    await harness.control.settings({ webhookUser: "adyen", webhookPassword: "secret" });
    const held = await hold();
    const item = await harness.news("AUTHORISATION", held);
    await harness.control.settings({ webhookUser: "" });
    const { pspReference, merchantAccountCode, merchantReference, amount: told, eventCode, success } = item;
    const signed = [
      pspReference,
      "",
      merchantAccountCode,
      merchantReference,
      told.value,
      told.currency,
      eventCode,
      success,
    ];
    const key = Buffer.from(SANDBOX_HMAC_KEY, "hex");
    expect(item.additionalData.hmacSignature).toBe(
      createHmac("sha256", key).update(signed.join(":")).digest("base64"),
    );
    const { authorization } = harness.heard.find(({ item: other }) => other.pspReference === held) ?? {};
    expect(authorization).toBe(`Basic ${Buffer.from("adyen:secret").toString("base64")}`);
  });

  test("contradict themselves, and forget the reference, where a test orders it", async () => {
    await harness.control.faults({ fault: { kind: "quirk", quirk: "contradicts" }, times: 1 });
    const held = await hold();
    const both = await eventually(
      () => harness.heard.filter(({ item }) => item.pspReference === held).map(({ item }) => item.success),
      (told) => told.length === 2,
    );
    expect(both.sort()).toEqual(["false", "true"]);
    await harness.control.faults({ fault: { kind: "quirk", quirk: "forgets_reference" }, times: 1 });
    const { body } = await harness.post(`/payments/${held}/captures`, amount(1));
    expect(await harness.news("CAPTURE", body.pspReference)).toMatchObject({ merchantReference: "" });
  });

  test("come twice where a test orders it", async () => {
    await harness.control.settings({ webhooks: { duplicateProbability: 1 } });
    const held = await hold();
    const told = await eventually(
      () => harness.heard.filter(({ item }) => item.pspReference === held),
      (all) => all.length === 2,
    );
    await harness.control.settings({ webhooks: { duplicateProbability: 0 } });
    expect(told[0]?.item).toEqual(told[1]?.item);
  });
});
