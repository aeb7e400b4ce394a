/**
 * Every kind of answer, held against the published OpenAPI schemas.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerSchema, type OpenApi, problems } from "./openapi-schema.ts";
import { publishedFile } from "./published-data.ts";
import { type BareAnswer, cardData, type Harness, payment, startHarness } from "./test-harness.ts";

const file = publishedFile("stripe/openapi-2023-08-16.payments.json.gz");
const api = file === null ? null : (JSON.parse(file.toString("utf8")) as OpenApi);

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());

test("the checker finds what is wrong", () => {
  const small: OpenApi = {
    paths: {},
    components: {
      schemas: { coin: { type: "object", required: ["side"], properties: { side: { enum: ["heads"] } } } },
    },
  };
  const schema = { $ref: "#/components/schemas/coin" };
  expect(problems(small, schema, { side: "heads", other: 1 })).toEqual([]);
  expect(problems(small, schema, {})).toEqual(["$.side: missing"]);
  expect(problems(small, schema, { side: "edge" })).toHaveLength(1);
  expect(problems(small, { type: "array", items: { type: "integer" } }, [1, 1.5])).toEqual([
    "$[1]: number, not integer",
  ]);
  expect(problems(small, { anyOf: [{ type: "string" }, schema] }, null)).toHaveLength(1);
  expect(problems(small, { anyOf: [{ type: "string" }], nullable: true }, null)).toEqual([]);
});

describe.skipIf(api === null)("answers fit the published schemas", () => {
  /** Checks an answer and gives it back; `path` is that of the description. */
  const fits = (answer: BareAnswer, method: string, path: string, status = 200): BareAnswer => {
    expect(answer.status, answer.text).toBe(status);
    if (api === null) throw new Error("skipped");
    expect(problems(api, answerSchema(api, method, path, status), answer.body)).toEqual([]);
    return answer;
  };
  const INTENTS = "/v1/payment_intents";
  const INTENT = "/v1/payment_intents/{intent}";

  test("a payment's life", async () => {
    const { bare } = harness;
    fits(await bare("POST", INTENTS, { amount: 100, currency: "usd" }), "POST", INTENTS);
    const held = fits(
      await bare(
        "POST",
        INTENTS,
        payment("4000056655665556", { capture_method: "manual", expand: ["latest_charge"] }),
      ),
      "POST",
      INTENTS,
    );
    const path = `${INTENTS}/${held.body.id}`;
    fits(await bare("POST", path, { metadata: { a: "b" } }), "POST", INTENT);
    fits(await bare("POST", `${path}/capture`, { amount_to_capture: 300 }), "POST", `${INTENT}/capture`);
    const expand = ["latest_charge.balance_transaction", "latest_charge.refunds", "payment_method"];
    fits(await bare("GET", path, { expand }), "GET", INTENT);
    const refund = fits(
      await bare("POST", "/v1/refunds", { payment_intent: held.body.id, amount: 100 }),
      "POST",
      "/v1/refunds",
    );
    fits(
      await bare("GET", `/v1/refunds/${refund.body.id}`, { expand: ["charge"] }),
      "GET",
      "/v1/refunds/{refund}",
    );
    fits(await bare("GET", "/v1/refunds", { charge: held.body.latest_charge.id }), "GET", "/v1/refunds");
    fits(await bare("GET", INTENTS, { limit: 5, expand: ["data.latest_charge"] }), "GET", INTENTS);
    fits(await bare("GET", `${INTENTS}/search`, { query: "currency:'usd'" }), "GET", `${INTENTS}/search`);
    const transactions = fits(
      await bare("GET", "/v1/balance_transactions"),
      "GET",
      "/v1/balance_transactions",
    );
    const one = `/v1/balance_transactions/${transactions.body.data[0].id}`;
    fits(await bare("GET", one, { expand: ["source"] }), "GET", "/v1/balance_transactions/{id}");
  });

  test("other endings", async () => {
    const { bare } = harness;
    const method = fits(
      await bare("POST", "/v1/payment_methods", cardData("378282246310005")),
      "POST",
      "/v1/payment_methods",
    );
    fits(
      await bare("GET", `/v1/payment_methods/${method.body.id}`),
      "GET",
      "/v1/payment_methods/{payment_method}",
    );
    const asks = fits(
      await bare("POST", INTENTS, payment("4000000000003220", { return_url: "https://shop.example/" })),
      "POST",
      INTENTS,
    );
    fits(await bare("POST", `${INTENTS}/${asks.body.id}/cancel`), "POST", `${INTENT}/cancel`);
    const waits = await bare("POST", INTENTS, { amount: 100, currency: "usd" });
    const confirm = `${INTENTS}/${waits.body.id}/confirm`;
    fits(
      await bare("POST", confirm, { payment_method: "pm_card_pendingRefund" }),
      "POST",
      `${INTENT}/confirm`,
    );
    const pending = await bare("POST", "/v1/refunds", { payment_intent: waits.body.id });
    fits(pending, "POST", "/v1/refunds");
    await harness.control.faults({ fault: { kind: "processing", afterMs: 60_000 }, times: 1 });
    fits(await bare("POST", INTENTS, payment("4242424242424242")), "POST", INTENTS);
  });

  test("stored cards, and holds that are raised", async () => {
    const { bare } = harness;
    const customer = (await bare("POST", "/v1/customers", { email: "ann@shop.example" })).body;
    if (api === null) throw new Error("skipped");
    expect(problems(api, { $ref: "#/components/schemas/customer" }, customer)).toEqual([]);
    const options = {
      request_incremental_authorization: "if_available",
      request_overcapture: "if_available",
      setup_credential_usage: "recurring",
    };
    const stored = fits(
      await bare(
        "POST",
        INTENTS,
        payment("4242424242424242", {
          capture_method: "manual",
          customer: customer.id,
          setup_future_usage: "off_session",
          payment_method_options: { card: options },
          expand: ["latest_charge"],
        }),
      ),
      "POST",
      INTENTS,
    );
    const raise = `${INTENTS}/${stored.body.id}/increment_authorization`;
    fits(await bare("POST", raise, { amount: 2_000 }), "POST", `${INTENT}/increment_authorization`);
    fits(await bare("POST", raise, { amount: 1 }), "POST", `${INTENT}/increment_authorization`, 400);
    const method = (await bare("POST", "/v1/payment_methods", cardData("4242424242424242"))).body;
    const attach = await bare("POST", `/v1/payment_methods/${method.id}/attach`, { customer: customer.id });
    fits(attach, "POST", "/v1/payment_methods/{payment_method}/attach");
  });

  test("errors", async () => {
    const { bare } = harness;
    fits(await bare("POST", INTENTS, payment("4000000000000002")), "POST", INTENTS, 402);
    fits(await bare("POST", INTENTS, payment("4242424242424241")), "POST", INTENTS, 402);
    fits(await bare("POST", INTENTS, { currency: "usd" }), "POST", INTENTS, 400);
    fits(await bare("GET", `${INTENTS}/pi_none`), "GET", INTENT, 404);
    fits(await bare("GET", INTENTS, {}, { authorization: "Bearer sk_wrong" }), "GET", INTENTS, 401);
    const waits = await bare("POST", INTENTS, { amount: 100, currency: "usd" });
    fits(await bare("POST", `${INTENTS}/${waits.body.id}/capture`), "POST", `${INTENT}/capture`, 400);
  });
});
