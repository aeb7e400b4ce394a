/**
 * What the sandbox tells by webhook: which events, signed as the official client checks them, with whole objects.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type Stripe from "stripe";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readBody } from "../kit/http.ts";
import { type OpenApi, problems } from "./openapi-schema.ts";
import { publishedFile } from "./published-data.ts";
import { eventually, type Harness, payment, QUICK, startHarness } from "./test-harness.ts";

const published = publishedFile("stripe/openapi-2023-08-16.payments.json.gz");
const api = published === null ? null : (JSON.parse(published.toString("utf8")) as OpenApi);
const SECRET = "whsec_sandbox";
const INTENTS = "/v1/payment_intents";

type Heard = { readonly text: string; readonly signature: string; readonly event: Stripe.Event };

let harness: Harness;
let heard: Heard[] = [];
const hear = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
  const text = await readBody(message, 200_000);
  const event = JSON.parse(text) as Stripe.Event;
  heard.push({ text, signature: String(message.headers["stripe-signature"]), event });
  response.writeHead(200).end();
};
const listener = createServer((message, response) => void hear(message, response));

beforeAll(async () => {
  harness = await startHarness();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  listener.closeAllConnections();
  await new Promise((resolve) => listener.close(resolve));
  await harness.running.stop();
});
beforeEach(async () => {
  await harness.control.reset();
  heard = [];
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
  await harness.control.settings({ ...QUICK, webhooks: { url, secret: SECRET } });
});

const types = (): string[] => heard.map(({ event }) => event.type);
const told = async (...expected: string[]): Promise<void> => {
  await eventually(
    async () => types(),
    (all) => all.length >= expected.length,
  );
  // Deliveries run side by side, so their order proves nothing.
  expect(types().sort()).toEqual([...expected].sort());
};
const post = (path: string, params = {}, key?: string) =>
  harness.bare("POST", path, params, key === undefined ? {} : { "idempotency-key": key });
const held = async (extra = {}) =>
  (await post(INTENTS, payment("4242424242424242", { capture_method: "manual", ...extra }), "key-held")).body;

describe("events", () => {
  test("are signed as the official client verifies, and name the request that caused them", async () => {
    const intent = await held({ metadata: { order: "o_1" } });
    await told("payment_intent.amount_capturable_updated");
    const [first] = heard;
    if (first === undefined) throw new Error("nothing was told");
    const { webhooks } = harness.stripe;
    const event = webhooks.constructEvent(first.text, first.signature, SECRET);
    expect(event.data.object).toMatchObject({ id: intent.id, metadata: { order: "o_1" } });
    expect(event.request?.idempotency_key).toBe("key-held");
    expect(() => webhooks.constructEvent(`${first.text} `, first.signature, SECRET)).toThrow();
    expect(() => webhooks.constructEvent(first.text, first.signature, "whsec_other")).toThrow();
  });

  test("of payments captured at once, declined, waiting and undecided", async () => {
    await post(INTENTS, payment("4242424242424242"));
    await told("payment_intent.succeeded");
    heard = [];
    await post(INTENTS, payment("4000000000000002"));
    await told("payment_intent.payment_failed");
    expect(heard[0]?.event.data.object).toMatchObject({ last_payment_error: { code: "card_declined" } });
    heard = [];
    await harness.control.faults({ fault: { kind: "processing", afterMs: 30 }, times: 1 });
    await post(INTENTS, payment("4242424242424242"));
    await told("payment_intent.processing", "payment_intent.succeeded");
  });

  test("of a customer who authenticated are nobody's request", async () => {
    const asks = payment("4000000000003220", { return_url: "https://shop.example/" });
    const { body } = await post(INTENTS, asks, "key-asks");
    await harness.control.authenticate(body.id, "succeed");
    await told("payment_intent.requires_action", "payment_intent.succeeded");
    const keys = heard.map(({ event }) => [event.type, event.request?.idempotency_key]);
    expect(Object.fromEntries(keys)).toEqual({
      "payment_intent.requires_action": "key-asks",
      "payment_intent.succeeded": null,
    });
  });

  test("of captures, a cancellation and an increment", async () => {
    const options = {
      request_multicapture: "if_available",
      request_incremental_authorization: "if_available",
    };
    const intent = await held({ payment_method_options: { card: options } });
    await post(`${INTENTS}/${intent.id}/increment_authorization`, { amount: 1_200 });
    await post(`${INTENTS}/${intent.id}/capture`, { amount_to_capture: 400, final_capture: false });
    await told(
      "payment_intent.amount_capturable_updated",
      "payment_intent.amount_capturable_updated",
      "payment_intent.amount_capturable_updated",
      "charge.updated",
    );
    heard = [];
    await post(`${INTENTS}/${intent.id}/capture`, { amount_to_capture: 800 });
    await told("payment_intent.amount_capturable_updated", "charge.captured", "payment_intent.succeeded");
    heard = [];
    const other = (await post(INTENTS, payment("4242424242424242", { capture_method: "manual" }))).body;
    await told("payment_intent.amount_capturable_updated");
    heard = [];
    await post(`${INTENTS}/${other.id}/cancel`, {});
    await told("payment_intent.canceled");
  });

  test("of refunds that succeed, wait, and come back", async () => {
    const refund = async (card: string): Promise<void> => {
      const { body } = await post(INTENTS, payment(card));
      await told("payment_intent.succeeded");
      heard = [];
      await post("/v1/refunds", { payment_intent: body.id });
    };
    await refund("4242424242424242");
    await told("refund.created", "charge.refunded");
    heard = [];
    await refund("4000000000007726");
    await told("refund.created", "refund.updated", "charge.refund.updated", "charge.refunded");
    heard = [];
    await refund("4000000000005126");
    await told(
      "refund.created",
      "charge.refunded",
      "refund.updated",
      "charge.refund.updated",
      "refund.failed",
    );
    const failed = heard.find(({ event }) => event.type === "refund.failed");
    expect(failed?.event.data.object).toMatchObject({ status: "failed" });
  });

  test("come twice under one id where a test asks for it", async () => {
    await harness.control.settings({ webhooks: { duplicateProbability: 1 } });
    await held();
    await told("payment_intent.amount_capturable_updated", "payment_intent.amount_capturable_updated");
    expect(new Set(heard.map(({ event }) => event.id)).size).toBe(1);
  });

  test.skipIf(api === null)("fit the published schemas", async () => {
    const intent = await held();
    await post(`${INTENTS}/${intent.id}/capture`);
    await post("/v1/refunds", { payment_intent: intent.id });
    await eventually(
      async () => heard.length,
      (count) => count >= 6,
    );
    if (api === null) throw new Error("skipped");
    for (const { event } of heard) {
      expect(problems(api, { $ref: "#/components/schemas/event" }, event)).toEqual([]);
      const { object } = event.data.object as { object: string };
      expect(problems(api, { $ref: `#/components/schemas/${object}` }, event.data.object)).toEqual([]);
    }
  });
});
