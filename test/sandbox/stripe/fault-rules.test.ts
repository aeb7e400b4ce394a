/**
 * Which requests a fault rule meets, and how often.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FaultRule } from "../kit/faults.ts";
import type { Operation } from "./route.ts";
import { type BareAnswer, type Harness, payment, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());
beforeEach(() => harness.control.reset());

const INTENTS = "/v1/payment_intents";
const visa = payment("4242424242424242", { metadata: { order: "1" } });
const post = (key: string, params: Parameters<Harness["bare"]>[2] = visa) =>
  harness.bare("POST", INTENTS, params, { "idempotency-key": key });

describe("which requests a rule meets", () => {
  const meets = async (
    match: FaultRule<Operation>["match"],
    call: () => Promise<BareAnswer>,
  ): Promise<boolean> => {
    await harness.control.faults({ match: match ?? {}, fault: { kind: "status", status: 503 } });
    const { status } = await call();
    await harness.control.clearFaults();
    return status === 503;
  };

  test("by method, path, operation, metadata, card and amount", async () => {
    const held = (await post("h", { ...visa, capture_method: "manual" })).body;
    const create = () =>
      harness.bare("POST", INTENTS, { ...visa, payment_method_data: undefined, confirm: undefined });
    const get = () => harness.bare("GET", `${INTENTS}/${held.id}`);
    const capture = () => harness.bare("POST", `${INTENTS}/${held.id}/capture`, { amount_to_capture: 5000 });
    expect(await meets({ method: "post" }, get)).toBe(false);
    expect(await meets({ method: "get" }, get)).toBe(true);
    expect(await meets({ path: "/v1/payment_intents" }, create)).toBe(true);
    expect(await meets({ path: "/v1/refunds" }, create)).toBe(false);
    expect(await meets({ path: "/v1/payment_intents/*/capture" }, capture)).toBe(true);
    expect(await meets({ path: "/v1/payment_intents/*/capture" }, get)).toBe(false);
    expect(await meets({ operation: "lookup" }, get)).toBe(true);
    expect(await meets({ operation: "capture" }, capture)).toBe(true);
    expect(await meets({ operation: "cancel" }, capture)).toBe(false);
    // A capture carries no metadata of its own: its payment intent's counts.
    expect(await meets({ metadata: { order: "1" } }, capture)).toBe(true);
    expect(await meets({ metadata: { order: "2" } }, capture)).toBe(false);
    expect(await meets({ cardNumber: "4242424242424242" }, capture)).toBe(true);
    expect(await meets({ cardNumber: "5555555555554444" }, capture)).toBe(false);
    expect(await meets({ cardNumber: "4242424242424242" }, () => post("v"))).toBe(true);
    expect(
      await meets({ cardNumber: "4242424242424242" }, () =>
        post("w", { amount: 100, currency: "usd", payment_method: "pm_card_visa" }),
      ),
    ).toBe(true);
    expect(await meets({ amount: 5000 }, capture)).toBe(true);
    expect(
      await meets({ amount: 1000 }, () => harness.bare("POST", "/v1/refunds", { payment_intent: held.id })),
    ).toBe(true);
    expect(await meets({ amount: 1000, operation: "refund" }, capture)).toBe(false);
  });

  test("the first that matches fires, as often as it may", async () => {
    await harness.control.faults(
      { match: { operation: "create" }, times: 2, fault: { kind: "status", status: 500 } },
      { probability: 0, fault: { kind: "status", status: 501 } },
      { match: { operation: "create" }, times: 1, fault: { kind: "status", status: 503 } },
    );
    const statuses: number[] = [];
    for (const key of ["a", "b", "c", "d"]) statuses.push((await post(key)).status);
    expect(statuses).toEqual([500, 500, 503, 200]);
  });

  test("a share of them, by probability", async () => {
    await harness.control.faults({ probability: 0.5, fault: { kind: "status", status: 503 } });
    const statuses = new Set<number>();
    for (let tries = 0; tries < 60 && statuses.size < 2; tries++)
      statuses.add((await harness.bare("GET", INTENTS)).status);
    expect(statuses).toEqual(new Set([200, 503]));
  });

  test("rules that make no sense are refused", async () => {
    const put = (body: unknown) =>
      fetch(`${harness.running.url}/_sandbox/faults`, { method: "PUT", body: JSON.stringify(body) });
    for (const body of [
      {},
      [{ fault: { kind: "explode" } }],
      [{ fault: { kind: "delay" } }],
      [{ fault: { kind: "delay", ms: -1 } }],
      [{ fault: { kind: "status", status: 42 } }],
      [{ fault: { kind: "hang" }, times: "once" }],
      [{ fault: { kind: "hang" }, probability: 50 }],
      [{ fault: { kind: "hang" }, when: "always" }],
      [{ fault: { kind: "hang" }, match: { colour: "red" } }],
    ]) {
      expect((await put(body)).status).toBe(400);
    }
    await expect(harness.control.settings({ latency: 5 } as never)).rejects.toThrow("unknown setting");
    await expect(harness.control.settings({ latencyMs: -1 })).rejects.toThrow("wrong value");
    expect((await fetch(`${harness.running.url}/_sandbox/nothing`)).status).toBe(404);
  });
});
