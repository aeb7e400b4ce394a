/**
 * Every switch: what the client sees, what was done, and what the key remembers.
 *
 * The bare client is used throughout: the official one repeats a request by itself, even with retries turned
 * off, when a connection is closed on it.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FaultRule } from "../kit/faults.ts";
import { encodeForm } from "./form.ts";
import type { Operation } from "./route.ts";
import { eventually, type Harness, payment, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());
beforeEach(() => harness.control.reset());

const INTENTS = "/v1/payment_intents";
const visa = payment("4242424242424242", { metadata: { order: "1" } });
const post = (key: string, params: Parameters<Harness["bare"]>[2] = visa, path = INTENTS) =>
  harness.bare("POST", path, params, { "idempotency-key": key });
const listed = async (): Promise<{ id: string }[]> => (await harness.bare("GET", INTENTS)).body.data;
const authorizations = async (): Promise<number> =>
  (await harness.control.book({ metadata: { order: "1" } })).movements.filter(
    ({ kind }) => kind === "authorized",
  ).length;

/** Whether the call ended without an answer. */
const failed = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => false,
    () => true,
  );

/** A payment whose client gives up after `ms`. */
const impatient = (ms: number): Promise<Response> =>
  fetch(`${harness.running.url}${INTENTS}`, {
    method: "POST",
    headers: { authorization: "Bearer sk_test_sandbox" },
    body: new URLSearchParams(encodeForm(visa)),
    signal: AbortSignal.timeout(ms),
  });

const lastRequest = async () =>
  (await harness.control.requests()).requests.filter(({ method }) => method === "POST").at(-1);

describe("lose_response", () => {
  test("does the work and says nothing; the key tells what happened", async () => {
    await harness.control.faults({ fault: { kind: "lose_response" }, times: 1 });
    expect(await failed(post("k"))).toBe(true);
    expect(await authorizations()).toBe(1);
    expect(await lastRequest()).toMatchObject({
      outcome: "lost",
      fault: "lose_response",
      idempotencyKey: "k",
    });
    const again = await post("k");
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.body.id).toBe((await listed())[0]?.id);
    expect(await authorizations()).toBe(1);
  });

  test("the official client repeats by itself, with retries turned off, and gets the replay", async () => {
    await harness.control.faults({ fault: { kind: "lose_response" }, times: 1 });
    const paid = await harness.stripe.paymentIntents.create({
      amount: 1000,
      currency: "usd",
      confirm: true,
      payment_method: "pm_card_visa",
    });
    expect(paid.status).toBe("succeeded");
    const { requests } = await harness.control.requests();
    expect(requests.map(({ outcome, replayed }) => [outcome, replayed])).toEqual([
      ["lost", false],
      [200, true],
    ]);
  });

  test("without the key's memory the same request charges twice", async () => {
    await harness.control.faults({ fault: { kind: "lose_response" }, times: 1 });
    await failed(post("k"));
    await harness.control.expireKeys();
    expect((await post("k")).status).toBe(200);
    expect(await authorizations()).toBe(2);
  });
});

describe("land_late", () => {
  const late = (extra = {}): FaultRule<Operation> => ({
    fault: { kind: "land_late", afterMs: 200, ...extra },
    times: 1,
  });
  const landed = () => eventually(lastRequest, (request) => request?.landed !== null);

  test("nothing is to be seen until it lands", async () => {
    await harness.control.faults(late());
    expect(await failed(post("k"))).toBe(true);
    expect(await listed()).toEqual([]);
    expect((await harness.control.book()).movements).toEqual([]);
    expect(await landed()).toMatchObject({ outcome: "late", landed: { status: 200, replayed: false } });
    expect(await listed()).toHaveLength(1);
    expect(await authorizations()).toBe(1);
  });

  test("a repeat under the same key in the meantime makes the landing a replay", async () => {
    await harness.control.faults(late());
    await failed(post("k"));
    const again = await post("k");
    expect(again.headers.get("idempotent-replayed")).toBeNull();
    const first = () => harness.control.requests().then(({ requests }) => requests[0]);
    expect(await eventually(first, (request) => request?.landed !== null)).toMatchObject({
      landed: { replayed: true },
    });
    expect(await authorizations()).toBe(1);
  });

  test("a key that was pruned in the meantime lets it charge again", async () => {
    await harness.control.faults(late());
    await failed(post("k"));
    await post("k");
    await harness.control.expireKeys();
    const first = () => harness.control.requests().then(({ requests }) => requests[0]);
    await eventually(first, (request) => request?.landed !== null);
    expect(await authorizations()).toBe(2);
  });

  test("the client may be left hanging instead of cut off", async () => {
    await harness.control.faults(late({ hang: true }));
    await expect(impatient(60)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await listed()).toEqual([]);
    expect(await landed()).toMatchObject({ landed: { status: 200 } });
  });

  test("a reset drops what is on its way", async () => {
    await harness.control.faults(late());
    await failed(post("k"));
    await harness.control.reset();
    await new Promise((resolve) => setTimeout(resolve, 240));
    expect(await listed()).toEqual([]);
  });
});

describe("slow, silent and cut off", () => {
  test("delay executes later, and finishes though the client has given up", async () => {
    await harness.control.faults({ fault: { kind: "delay", ms: 200 }, times: 2 });
    const began = Date.now();
    expect((await post("a")).status).toBe(200);
    expect(Date.now() - began).toBeGreaterThanOrEqual(190);
    await expect(impatient(30)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await authorizations()).toBe(1);
    expect(await eventually(authorizations, (count) => count === 2)).toBe(2);
  });

  test("hang never answers and never executes", async () => {
    await harness.control.faults({ fault: { kind: "hang" }, times: 1, match: { operation: "create" } });
    await expect(impatient(50)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await listed()).toEqual([]);
    expect(await lastRequest()).toMatchObject({ outcome: "hung" });
  });

  test.each([
    ["before reading", {}],
    ["for what is inside", { metadata: { order: "1" } }],
  ])("reset, %s", async (_name, match) => {
    await harness.control.faults({
      fault: { kind: "reset" },
      match: { ...match, operation: "create" },
      times: 1,
    });
    expect(await failed(post("k"))).toBe(true);
    expect(await lastRequest()).toMatchObject({ outcome: "reset" });
    expect(await authorizations()).toBe(0);
    expect((await post("k")).status).toBe(200);
  });

  test("down refuses everything but the control", async () => {
    await harness.control.settings({ down: true });
    expect(await failed(post("k"))).toBe(true);
    expect(await failed(harness.bare("GET", INTENTS))).toBe(true);
    expect((await harness.control.requests()).requests.map(({ outcome }) => outcome)).toContain("refused");
    await harness.control.settings({ down: false });
    expect((await post("k")).status).toBe(200);
    expect(await authorizations()).toBe(1);
  });

  test("latency slows every request", async () => {
    await harness.control.settings({ latencyMs: 40, latencyJitterMs: 20 });
    const began = Date.now();
    await harness.bare("GET", INTENTS);
    expect(Date.now() - began).toBeGreaterThanOrEqual(38);
  });
});

describe("wrong answers", () => {
  test.each([500, 503, 429, 409])(
    "status %i without the work, which the key does not remember",
    async (status) => {
      await harness.control.faults({ fault: { kind: "status", status }, times: 1 });
      const answer = await post("k");
      expect(answer.status).toBe(status);
      expect(answer.body.error.type).toBe(status >= 500 ? "api_error" : "invalid_request_error");
      expect(await authorizations()).toBe(0);
      expect((await post("k")).status).toBe(200);
    },
  );

  test("status with a body of one's own", async () => {
    const body = { error: { type: "api_error", message: "we are sorry" } };
    await harness.control.faults({ fault: { kind: "status", status: 502, body } });
    expect((await post("k")).body).toEqual(body);
  });

  test("status_after does the work; the key remembers the failure, so only a look-up tells", async () => {
    await harness.control.faults({ fault: { kind: "status_after", status: 500 }, times: 1 });
    expect((await post("k")).status).toBe(500);
    const again = await post("k");
    expect({ status: again.status, replayed: again.headers.get("idempotent-replayed") }).toEqual({
      status: 500,
      replayed: "true",
    });
    expect(await authorizations()).toBe(1);
    expect(await listed()).toHaveLength(1);
  });

  test("status_after from a proxy: the key remembers the result", async () => {
    await harness.control.faults({
      fault: { kind: "status_after", status: 502, stored: "result" },
      times: 1,
    });
    expect((await post("k")).status).toBe(502);
    const again = await post("k");
    expect({ status: again.status, paid: again.body.status }).toEqual({ status: 200, paid: "succeeded" });
    expect(await authorizations()).toBe(1);
  });

  test.each([true, false])("garbage, work done: %s", async (work) => {
    await harness.control.faults({ fault: { kind: "garbage", work }, times: 1 });
    const answer = await post("k");
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: undefined });
    expect(await authorizations()).toBe(work ? 1 : 0);
    expect((await post("k")).headers.get("idempotent-replayed")).toBe(work ? "true" : null);
    expect(await authorizations()).toBe(1);
  });

  test.each([
    ["do_not_honor", "card_declined", "do_not_honor"],
    ["expired_card", "expired_card", undefined],
  ])("decline %s", async (declineCode, code, given) => {
    await harness.control.faults({ fault: { kind: "decline", declineCode }, times: 1 });
    const { status, body } = await post("k");
    expect({ status, code: body.error.code, declineCode: body.error.decline_code }).toEqual({
      status: 402,
      code,
      declineCode: given,
    });
    expect(await authorizations()).toBe(0);
  });

  test("processing is decided later", async () => {
    await harness.control.faults({ fault: { kind: "processing", afterMs: 60 } });
    const made = (await post("k")).body;
    expect(made).toMatchObject({ status: "processing", latest_charge: null, processing: { type: "card" } });
    const refused = await post("c", {}, `${INTENTS}/${made.id}/cancel`);
    expect(refused.body.error.code).toBe("payment_intent_unexpected_state");
    const read = () => harness.bare("GET", `${INTENTS}/${made.id}`);
    const decided = await eventually(read, ({ body }) => body.status !== "processing");
    expect(decided.body.status).toBe("succeeded");
    expect((await harness.control.book()).movements.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      "k",
      "k",
    ]);
  });
});
