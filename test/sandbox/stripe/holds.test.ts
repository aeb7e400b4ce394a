/**
 * What may be done with reserved money beyond capturing it once: raising it, taking more, and letting its time run out.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually, type Harness, payment, QUICK, startHarness } from "./test-harness.ts";

const INTENTS = "/v1/payment_intents";
const ALL = {
  request_multicapture: "if_available",
  request_incremental_authorization: "if_available",
  request_overcapture: "if_available",
} as const;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());
beforeEach(async () => {
  await harness.control.reset();
  await harness.control.settings(QUICK);
});

const post = (path: string, params = {}) => harness.bare("POST", INTENTS + path, params);
async function held(card = "4242424242424242", options: object = ALL) {
  const extra = { capture_method: "manual", expand: ["latest_charge"] };
  const { body } = await post(
    "",
    payment(card, { ...extra, payment_method_options: { card: { ...options } } }),
  );
  expect(body.status).toBe("requires_capture");
  return body;
}
const increment = (id: string, amount: number) => post(`/${id}/increment_authorization`, { amount });
const totals = async (id: string) => (await harness.control.book({ payment_intent: id })).payments[id];

describe("raising an authorization", () => {
  test("sets the new total, which can then be captured", async () => {
    const { id, latest_charge } = await held();
    expect(latest_charge.payment_method_details.card.incremental_authorization.status).toBe("available");
    const raised = await post(`/${id}/increment_authorization`, { amount: 1_300, metadata: { more: "yes" } });
    expect(raised.body).toMatchObject({ amount: 1_300, amount_capturable: 1_300, metadata: { more: "yes" } });
    expect((await increment(id, 1_301)).status).toBe(200);
    expect((await post(`/${id}/capture`, { amount_to_capture: 1_301 })).body.amount_received).toBe(1_301);
    expect(await totals(id)).toMatchObject({ authorized: 1_301, captured: 1_301, held: 0 });
  });

  test.each([
    ["to no more than there is", "4242424242424242", ALL, 1_000, "amount"],
    ["that was not asked for", "4242424242424242", {}, 1_100, undefined],
    ["of a brand that lets few merchants do it", "378282246310005", ALL, 1_100, undefined],
  ])("is refused: %s", async (_, card, options, amount, param) => {
    const { id } = await held(card, options);
    const refused = await increment(id, amount);
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({ type: "invalid_request_error" });
    expect(refused.body.error.param).toBe(param);
    expect(await totals(id)).toMatchObject({ authorized: 1_000 });
  });

  test("is refused once anything was captured, and after ten attempts", async () => {
    const captured = await held();
    await post(`/${captured.id}/capture`, { amount_to_capture: 100, final_capture: false });
    expect((await increment(captured.id, 1_100)).status).toBe(400);
    const often = await held();
    for (let attempt = 1; attempt <= 10; attempt++)
      expect((await increment(often.id, 1_000 + attempt)).status).toBe(200);
    expect((await increment(often.id, 2_000)).status).toBe(400);
    expect(await totals(often.id)).toMatchObject({ authorized: 1_010 });
  });

  test("may be declined, which changes nothing", async () => {
    const { id } = await held();
    const fault = { kind: "decline", declineCode: "insufficient_funds" } as const;
    await harness.control.faults({ match: { operation: "increment" }, fault, times: 1 });
    const declined = await increment(id, 2_000);
    expect(declined.status).toBe(402);
    expect(declined.body.error).toMatchObject({ type: "card_error", decline_code: "insufficient_funds" });
    expect(declined.body.error.payment_intent).toMatchObject({ amount: 1_000, status: "requires_capture" });
    expect(await totals(id)).toMatchObject({ authorized: 1_000, held: 1_000 });
  });
});

describe("capturing more than was authorized", () => {
  test("goes as far as the brand lets it, with the last capture", async () => {
    const { id, latest_charge } = await held();
    expect(latest_charge.payment_method_details.card.overcapture).toEqual({
      maximum_amount_capturable: 1_150,
      status: "available",
    });
    const capture = (amount: number, final_capture = true) =>
      post(`/${id}/capture`, { amount_to_capture: amount, final_capture });
    expect((await capture(1_151)).body.error.code).toBe("amount_too_large");
    expect((await capture(1_001, false)).body.error.code).toBe("amount_too_large");
    expect((await capture(1_150)).body).toMatchObject({ status: "succeeded", amount_received: 1_150 });
    expect(await totals(id)).toMatchObject({ authorized: 1_000, captured: 1_150, released: 0 });
  });

  test.each([
    ["not asked for", "4242424242424242", {}],
    ["a brand that lets few merchants do it", "5555555555554444", ALL],
  ])("is refused: %s", async (_, card, options) => {
    const { id } = await held(card, options);
    expect((await post(`/${id}/capture`, { amount_to_capture: 1_001 })).body.error.code).toBe(
      "amount_too_large",
    );
  });
});

describe("an authorization whose time is over", () => {
  const intentOf = async (id: string) => (await harness.bare("GET", `${INTENTS}/${id}`)).body;

  test("is canceled, and gives everything back", async () => {
    await harness.control.settings({ holdMs: 40 });
    const { id } = await held();
    const ended = await eventually(
      () => intentOf(id),
      ({ status }) => status === "canceled",
    );
    expect(ended).toMatchObject({ cancellation_reason: "automatic", amount_capturable: 0 });
    expect(await totals(id)).toMatchObject({ released: 1_000, held: 0 });
    expect((await post(`/${id}/capture`)).body.error).toMatchObject({
      code: "payment_intent_unexpected_state",
      payment_intent: { status: "canceled" },
    });
  });

  test("keeps what was captured, and gives the rest back", async () => {
    await harness.control.settings({ holdMs: 80 });
    const { id } = await held();
    await post(`/${id}/capture`, { amount_to_capture: 300, final_capture: false });
    await eventually(
      () => intentOf(id),
      ({ status }) => status === "succeeded",
    );
    expect(await totals(id)).toMatchObject({ captured: 300, released: 700, held: 0 });
    const refund = await harness.bare("POST", "/v1/refunds", { payment_intent: id });
    expect(refund.body.amount).toBe(300);
  });

  test("was no more to end after its capture or its cancellation", async () => {
    await harness.control.settings({ holdMs: 40 });
    const [captured, canceled] = [await held(), await held()];
    await post(`/${captured.id}/capture`);
    await post(`/${canceled.id}/cancel`);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await totals(captured.id)).toMatchObject({ captured: 1_000, released: 0 });
    expect(await totals(canceled.id)).toMatchObject({ captured: 0, released: 1_000 });
  });
});
