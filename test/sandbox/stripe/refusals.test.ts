/**
 * What the provider refuses, and how it says so on the wire.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "./dialect.ts";
import { API_KEY, cardData, type Harness, payment, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());

const INTENTS = "/v1/payment_intents";

describe("the key", () => {
  const ask = (headers: Record<string, string>) => fetch(`${harness.running.url}${INTENTS}`, { headers });

  test.each([
    ["bearer", `Bearer ${API_KEY}`, 200],
    ["basic", `Basic ${Buffer.from(`${API_KEY}:`).toString("base64")}`, 200],
    ["a wrong one", "Bearer sk_test_somebody_elses", 401],
    ["an empty one", "Bearer ", 401],
    ["another scheme", `Digest ${API_KEY}`, 401],
  ])("%s", async (_name, authorization, status) => {
    const answer = await ask({ authorization });
    expect(answer.status).toBe(status);
    const body = await answer.text();
    expect(body).not.toContain("somebody_elses");
    if (status === 401) expect(JSON.parse(body).error.type).toBe("invalid_request_error");
  });

  test("none at all", async () => {
    expect((await ask({})).status).toBe(401);
  });
});

test("answers carry a request id and the version that the client named", async () => {
  const named = await harness.bare("GET", INTENTS, {}, { "stripe-version": "2023-08-16" });
  expect(named.headers.get("stripe-version")).toBe("2023-08-16");
  expect(named.headers.get("request-id")).toMatch(/^req_/);
  expect((await harness.bare("GET", INTENTS)).headers.get("stripe-version")).toBe("2026-10-28.endive");
});

test("an older version captures synchronously by default", async () => {
  const create = (headers: Record<string, string>) =>
    harness.bare("POST", INTENTS, { amount: 100, currency: "usd" }, headers);
  expect((await create({ "stripe-version": "2023-08-16" })).body.capture_method).toBe("automatic");
  expect((await create({ "stripe-version": "2026-10-28.endive" })).body.capture_method).toBe(
    "automatic_async",
  );
});

describe("parameters", () => {
  const ok = { amount: 1000, currency: "usd" };

  test.each([
    ["an unknown one", { ...ok, colour: "red" }, "parameter_unknown", "colour"],
    [
      "an unknown nested one",
      { ...ok, payment_method_data: { type: "card", card: { numbr: "4" } } },
      "parameter_unknown",
      "payment_method_data[card][numbr]",
    ],
    ["no amount", { currency: "usd" }, "parameter_missing", "amount"],
    ["no currency", { amount: 1000 }, "parameter_missing", "currency"],
    [
      "no card number",
      { ...ok, payment_method_data: { type: "card", card: { exp_month: 1 } } },
      "parameter_missing",
      "payment_method_data[card][number]",
    ],
    ["an amount with decimals", { ...ok, amount: "10.00" }, "parameter_invalid_integer", "amount"],
    ["an amount that is no number", { ...ok, amount: "ten" }, "parameter_invalid_integer", "amount"],
    ["an empty currency", { ...ok, currency: "" }, "parameter_invalid_empty", "currency"],
    ["an uppercase currency", { ...ok, currency: "USD" }, undefined, "currency"],
    ["a bad boolean", { ...ok, confirm: "yes" }, undefined, "confirm"],
    ["a capture method that does not exist", { ...ok, capture_method: "later" }, undefined, "capture_method"],
    ["a long description", { ...ok, description: "x".repeat(1001) }, undefined, "description"],
    [
      "a long statement suffix",
      { ...ok, statement_descriptor_suffix: "x".repeat(23) },
      undefined,
      "statement_descriptor_suffix",
    ],
    [
      "too much metadata",
      { ...ok, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, "v"])) },
      undefined,
      "metadata",
    ],
    ["a long metadata value", { ...ok, metadata: { k: "v".repeat(501) } }, undefined, "metadata[k]"],
    [
      "a long metadata key",
      { ...ok, metadata: { ["k".repeat(41)]: "v" } },
      undefined,
      `metadata[${"k".repeat(40)}]`,
    ],
    ["off_session without confirm", { ...ok, off_session: true }, undefined, "off_session"],
    [
      "another kind of payment",
      { ...ok, payment_method_types: ["card", "ideal"] },
      undefined,
      "payment_method_types",
    ],
    ["what is not played", { ...ok, transfer_data: { destination: "acct_1" } }, undefined, "transfer_data"],
    ["a customer that does not exist", { ...ok, customer: "cus_1" }, "resource_missing", "customer"],
    [
      "a payment method that does not exist",
      { ...ok, payment_method: "pm_none" },
      "resource_missing",
      "payment_method",
    ],
  ])("%s", async (_name, params, code, param) => {
    const { status, body } = await harness.bare("POST", INTENTS, params);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ type: "invalid_request_error", param, message: expect.any(String) });
    expect(body.error.code).toBe(code);
    if (code !== undefined) expect(body.error.doc_url).toContain(code.replaceAll("_", "-"));
  });

  test("a confirmation pays and changes nothing else", async () => {
    const { body } = await harness.bare("POST", INTENTS, { ...ok, payment_method: "pm_card_visa" });
    const confirm = (params: object) => harness.bare("POST", `${INTENTS}/${body.id}/confirm`, { ...params });
    expect((await confirm({ metadata: { a: "b" } })).body.error.code).toBe("parameter_unknown");
    expect((await confirm({ receipt_email: "ada@example.com" })).body).toMatchObject({
      status: "succeeded",
      receipt_email: "ada@example.com",
    });
  });

  test("a parameter named like a prototype is only unknown", async () => {
    const { body } = await harness.bare("POST", INTENTS, { ...ok, "__proto__[polluted]": "yes" });
    expect(body.error.code).toBe("parameter_unknown");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("lists refuse what they do not know and more than a hundred", async () => {
    expect((await harness.bare("GET", INTENTS, { order: "asc" })).body.error.code).toBe("parameter_unknown");
    expect((await harness.bare("GET", INTENTS, { limit: 101 })).body.error.code).toBe(
      "parameter_invalid_integer",
    );
    expect((await harness.bare("GET", INTENTS, { starting_after: "pi_none" })).body.error.code).toBe(
      "resource_missing",
    );
    expect((await harness.bare("GET", INTENTS, { created: { gte: "today" } })).body.error.code).toBe(
      "parameter_invalid_integer",
    );
    expect((await harness.bare("GET", INTENTS, { expand: ["data.secrets"] })).status).toBe(400);
  });

  test("refunds name what they are for", async () => {
    expect((await harness.bare("POST", "/v1/refunds", { amount: 1 })).status).toBe(400);
    const zero = await harness.bare("POST", "/v1/refunds", { amount: 0, charge: "ch_none" });
    expect(zero.body.error.code).toBe("parameter_invalid_integer");
    const none = await harness.bare("POST", "/v1/refunds", { charge: "ch_none" });
    expect(none).toMatchObject({ status: 404, body: { error: { code: "resource_missing" } } });
    const reason = await harness.bare("POST", "/v1/refunds", {
      charge: "ch_none",
      reason: "expired_uncaptured_charge",
    });
    expect(reason.body.error.param).toBe("reason");
  });
});

describe("amounts", () => {
  test.each([
    ["usd", 49, "amount_too_small"],
    ["usd", 0, "parameter_invalid_integer"],
    ["usd", -5, "parameter_invalid_integer"],
    ["jpy", 49, "amount_too_small"],
    ["gbp", 29, "amount_too_small"],
    ["huf", 17499, "amount_too_small"],
    ["usd", 1_000_000_000_000, "amount_too_large"],
    ["kwd", 1001, undefined],
    ["isk", 1050, undefined],
    ["ugx", 250, undefined],
  ])("refuses %s %i", async (currency, amount, code) => {
    const { status, body } = await harness.bare("POST", INTENTS, { amount, currency });
    expect({ status, param: body.error.param, code: body.error.code }).toEqual({
      status: 400,
      param: "amount",
      code,
    });
  });

  test.each([
    ["usd", 50],
    ["jpy", 50],
    ["gbp", 30],
    ["kwd", 1000],
    ["isk", 500],
    ["ugx", 500],
    ["clp", 1],
    ["idr", 999_999_999_999],
  ])("takes %s %i", async (currency, amount) => {
    expect((await harness.bare("POST", INTENTS, { amount, currency })).status).toBe(200);
  });

  test("American Express carries nine digits", async () => {
    const tooMuch = await harness.bare(
      "POST",
      INTENTS,
      payment("378282246310005", { amount: 1_000_000_000 }),
    );
    expect(tooMuch.body.error.code).toBe("amount_too_large");
    expect(
      (await harness.bare("POST", INTENTS, payment("4242424242424242", { amount: 1_000_000_000 }))).status,
    ).toBe(200);
  });
});

describe("states", () => {
  test("what is paid cannot be confirmed, captured, canceled or repriced", async () => {
    const paid = (await harness.bare("POST", INTENTS, payment("4242424242424242"))).body;
    for (const [path, params] of [
      ["/confirm", { payment_method: "pm_card_visa" }],
      ["/capture", {}],
      ["/cancel", {}],
      ["", { amount: 2000 }],
    ] as const) {
      const { status, body } = await harness.bare("POST", `${INTENTS}/${paid.id}${path}`, params);
      expect({ path, status, code: body.error.code }).toEqual({
        path,
        status: 400,
        code: "payment_intent_unexpected_state",
      });
      expect(body.error.payment_intent).toMatchObject({ id: paid.id, status: "succeeded" });
    }
  });

  test("what has no payment method cannot be confirmed", async () => {
    const bare = (await harness.bare("POST", INTENTS, { amount: 1000, currency: "usd" })).body;
    const { body } = await harness.bare("POST", `${INTENTS}/${bare.id}/confirm`);
    expect(body.error.code).toBe("payment_intent_unexpected_state");
  });

  test("a refused confirmation leaves nothing behind", async () => {
    const { bare, control } = harness;
    const before = (await bare("GET", INTENTS, { limit: 1 })).body.data[0]?.id;
    expect((await bare("POST", INTENTS, { amount: 1000, currency: "usd", confirm: true })).status).toBe(400);
    expect((await bare("POST", INTENTS, payment("4242424242424241"))).status).toBe(402);
    expect((await bare("GET", INTENTS, { limit: 1 })).body.data[0]?.id).toBe(before);
    expect((await control.book({ metadata: { none: "such" } })).movements).toEqual([]);
  });
});

describe("the wire", () => {
  test("unknown addresses and ids", async () => {
    expect((await harness.bare("GET", "/v1/customers")).status).toBe(404);
    expect((await harness.bare("POST", "/v1/charges", {})).status).toBe(404);
    const { status, body } = await harness.bare("GET", `${INTENTS}/pi_none`);
    expect({ status, error: body.error }).toMatchObject({
      status: 404,
      error: { code: "resource_missing", param: "intent" },
    });
    expect((await harness.bare("GET", "/v1/charges/ch_none")).body.error.param).toBe("id");
  });

  test("bodies must be forms, and not too large", async () => {
    const post = (body: string, type: string) =>
      fetch(`${harness.running.url}${INTENTS}`, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${API_KEY}`, "content-type": type },
      });
    expect((await post('{"amount":1}', "application/json")).status).toBe(400);
    expect(
      (await post(`description=${"x".repeat(MAX_BODY_BYTES)}`, "application/x-www-form-urlencoded")).status,
    ).toBe(413);
    expect((await post("amount=%ZZ", "application/x-www-form-urlencoded")).status).toBe(400);
    const many = Array.from({ length: 1001 }, (_, index) => `metadata[k${index}]=v`).join("&");
    expect((await post(many, "application/x-www-form-urlencoded")).status).toBe(400);
    expect((await post(`a${"[b]".repeat(9)}=1`, "application/x-www-form-urlencoded")).status).toBe(400);
  });

  test.each([
    "status:'succeeded' AND currency:'usd' OR amount:1",
    "colour:'red'",
    "metadata:'x'",
    "status['x']:'y'",
    "status>'succeeded'",
    "amount~5",
    "nonsense",
    "AND status:'succeeded'",
    Array.from({ length: 11 }, () => "amount:1").join(" "),
  ])("the query %s is refused", async (query) => {
    const { status, body } = await harness.bare("GET", `${INTENTS}/search`, { query });
    expect({ status, param: body.error.param }).toEqual({ status: 400, param: "query" });
  });

  test("no answer repeats a card number or a security code", async () => {
    const number = "5200828282828210";
    const data = { ...cardData(number), card: { ...cardData(number).card, cvc: "739" } };
    const paid = await harness.bare(
      "POST",
      INTENTS,
      payment(number, { payment_method_data: data, expand: ["latest_charge"] }),
    );
    const method = await harness.bare("GET", `/v1/payment_methods/${paid.body.payment_method}`);
    for (const { text } of [paid, method]) {
      expect(text).not.toContain(number);
      expect(text).not.toMatch(/[^0-9a-zA-Z]739[^0-9a-zA-Z]/);
    }
  });
});
