/**
 * Idempotency keys, as documented.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Harness, payment, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());
beforeEach(() => harness.control.reset());

const INTENTS = "/v1/payment_intents";
const post = (key: string, params: Parameters<Harness["bare"]>[2], path = INTENTS) =>
  harness.bare("POST", path, params, { "idempotency-key": key });
const visa = payment("4242424242424242");

/** How often money was reserved. */
const authorizations = async (): Promise<number> =>
  (await harness.control.book()).movements.filter(({ kind }) => kind === "authorized").length;

test("the same request replays the stored answer, byte for byte, and charges once", async () => {
  const first = await post("k", visa);
  const second = await post("k", visa);
  expect(second.text).toBe(first.text);
  expect(first.headers.get("idempotent-replayed")).toBeNull();
  expect(second.headers.get("idempotent-replayed")).toBe("true");
  expect(second.headers.get("original-request")).toBe(first.headers.get("request-id"));
  expect(second.headers.get("request-id")).not.toBe(first.headers.get("request-id"));
  expect(await authorizations()).toBe(1);
  expect((await harness.control.requests()).requests.map(({ replayed }) => replayed)).toEqual([false, true]);
});

test("the replay is what was, not what is", async () => {
  const first = await post("k", { ...visa, capture_method: "manual" });
  await harness.bare("POST", `${INTENTS}/${first.body.id}/capture`);
  expect((await post("k", { ...visa, capture_method: "manual" })).body.status).toBe("requires_capture");
});

test("a decline is remembered like any result", async () => {
  const declined = payment("4000000000000002");
  const first = await post("k", declined);
  const second = await post("k", declined);
  expect([first.status, second.status]).toEqual([402, 402]);
  expect(second.body.error.charge).toBe(first.body.error.charge);
  expect(second.headers.get("idempotent-replayed")).toBe("true");
});

test("other parameters, or another path, under the same key are refused", async () => {
  const first = await post("k", visa);
  for (const other of [
    await post("k", { ...visa, amount: 1001 }),
    await post("k", {}, `${INTENTS}/${first.body.id}/cancel`),
  ]) {
    expect(other.status).toBe(400);
    expect(other.body.error.type).toBe("idempotency_error");
  }
  expect(await authorizations()).toBe(1);
});

test("the order of parameters does not matter", async () => {
  const [one, two] = [
    { amount: 1000, currency: "usd" },
    { currency: "usd", amount: 1000 },
  ];
  expect((await post("k", two)).body.id).toBe((await post("k", one)).body.id);
});

test("what fails validation is not remembered", async () => {
  expect((await post("k", { amount: "ten", currency: "usd" })).status).toBe(400);
  const second = await post("k", visa);
  expect(second.status).toBe(200);
  expect(second.headers.get("idempotent-replayed")).toBeNull();
});

test("what fails in execution is", async () => {
  const paid = await post("a", visa);
  const path = `${INTENTS}/${paid.body.id}/capture`;
  expect((await post("b", {}, path)).body.error.code).toBe("payment_intent_unexpected_state");
  expect((await post("b", {}, path)).headers.get("idempotent-replayed")).toBe("true");
});

test("of requests at the same time one is executed and the others are told to wait", async () => {
  await harness.control.settings({ latencyMs: 150 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => post("k", visa)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
  const busy = answers.find(({ status }) => status === 409);
  expect(busy?.body.error.code).toBe("idempotency_key_in_use");
  expect(await authorizations()).toBe(1);
  expect((await post("k", visa)).headers.get("idempotent-replayed")).toBe("true");
});

describe("pruning", () => {
  test("an expired key charges again", async () => {
    const first = await post("k", visa);
    expect(await harness.control.expireKeys()).toEqual({ expired: 1 });
    const second = await post("k", visa);
    expect(second.body.id).not.toBe(first.body.id);
    expect(await authorizations()).toBe(2);
  });

  test("keys older than the time to live are gone, younger ones are not", async () => {
    await harness.control.settings({ idempotencyKeyTtlMs: 200 });
    const first = await post("k", visa);
    expect((await post("k", visa)).body.id).toBe(first.body.id);
    await new Promise((resolve) => setTimeout(resolve, 230));
    // A pruned key is free for other parameters, too.
    const second = await post("k", { ...visa, amount: 2000 });
    expect(second.status).toBe(200);
    expect(second.body.id).not.toBe(first.body.id);
  });
});

test("keys have no effect on GET", async () => {
  const get = () => harness.bare("GET", INTENTS, {}, { "idempotency-key": "k" });
  expect((await get()).body.data).toHaveLength(0);
  await post("other", visa);
  expect((await get()).body.data).toHaveLength(1);
});

test("a key may have 255 characters and no more", async () => {
  expect((await post("k".repeat(255), visa)).status).toBe(200);
  expect((await post("k".repeat(256), visa)).status).toBe(400);
});
