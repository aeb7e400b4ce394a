import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { payByCard } from "./control-client.ts";
import { answerSchema, type OpenApi, problems, type Schema } from "./openapi-schema.ts";
import { publishedApi } from "./published-api.ts";
import { type BareAnswer, type Harness, startHarness } from "./test-harness.ts";

const api = publishedApi();
let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterEach(() => harness.control.reset());
afterAll(() => harness.running.stop());

it("the checker finds what is wrong", () => {
  const small: OpenApi = {
    paths: {},
    components: { schemas: { coin: { type: ["string", "null"], enum: ["heads", "tails"] } }, responses: {} },
  };
  const schema: Schema = {
    type: "object",
    required: ["side"],
    properties: { side: { $ref: "#/components/schemas/coin" }, times: { type: "integer", minimum: 1 } },
    allOf: [{ required: ["times"] }],
  };
  expect(problems(small, schema, { side: "heads", times: 1 })).toEqual([]);
  expect(problems(small, schema, { side: null, times: 1 })).toEqual([]);
  expect(problems(small, schema, {})).toEqual(["$.side: missing", "$.times: missing"]);
  expect(problems(small, schema, { side: "edge", times: 0, other: 1 })).toHaveLength(3);
  expect(problems(small, { oneOf: [{ type: "string" }, schema] }, 1)).toHaveLength(1);
});

describe.skipIf(api === null)("answers fit the published schemas", () => {
  const PAYMENTS = "/v2/payments";
  const PAYMENT = "/v2/payments/{paymentId}";
  const CUSTOMER = "/v2/customers/{customerId}";

  const fits = (answer: BareAnswer, method: string, path: string, status: number): BareAnswer => {
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    if (api === null) throw new Error("skipped");
    const schema = answerSchema(api, method, path, status);
    if (schema === null) expect(answer.body).toBeNull();
    else expect(problems(api, schema, answer.body)).toEqual([]);
    return answer;
  };
  const made = async (number: string | null, overrides: object = {}): Promise<string> => {
    const { body } = fits(await harness.create(overrides), "POST", PAYMENTS, 201);
    if (number !== null) await payByCard(body._links.checkout.href, { number });
    return body.id;
  };
  const get = (path: string) => harness.call("GET", path);

  it("a payment's life", async () => {
    const held = await made("5555555555554444", { captureMode: "manual", locale: "nl_NL" });
    fits(await get(`${PAYMENTS}/${held}`), "GET", PAYMENT, 200);
    const captures = `${PAYMENTS}/${held}/captures`;
    const capture = fits(await harness.call("POST", captures, {}), "POST", `${PAYMENT}/captures`, 201);
    await harness.until(held, "paid");
    fits(await get(`${captures}/${capture.body.id}`), "GET", `${PAYMENT}/captures/{captureId}`, 200);
    fits(await get(captures), "GET", `${PAYMENT}/captures`, 200);
    const refunds = `${PAYMENTS}/${held}/refunds`;
    const amount = { currency: "EUR", value: "4.00" };
    const refund = fits(await harness.call("POST", refunds, { amount }), "POST", `${PAYMENT}/refunds`, 201);
    fits(await get(`${refunds}/${refund.body.id}`), "GET", `${PAYMENT}/refunds/{refundId}`, 200);
    fits(await get(refunds), "GET", `${PAYMENT}/refunds`, 200);
    fits(await get(`${PAYMENTS}/${held}`), "GET", PAYMENT, 200);
  });

  it("other endings", async () => {
    fits(await get(`${PAYMENTS}/${await made("4000000000009995")}`), "GET", PAYMENT, 200);
    const open = await made(null, { method: undefined, metadata: "text" });
    fits(await harness.call("DELETE", `${PAYMENTS}/${open}`), "DELETE", PAYMENT, 200);
    const held = await made("4242424242424242", { captureMode: "manual" });
    const release = await harness.call("POST", `${PAYMENTS}/${held}/release-authorization`, {});
    fits(release, "POST", `${PAYMENT}/release-authorization`, 202);
    await harness.until(held, "canceled");
    fits(await get(`${PAYMENTS}/${held}`), "GET", PAYMENT, 200);
    const paid = await made("4242424242424242");
    const amount = { currency: "EUR", value: "1.00" };
    const { body } = await harness.call("POST", `${PAYMENTS}/${paid}/refunds`, { amount });
    const path = `${PAYMENTS}/${paid}/refunds/${body.id}`;
    fits(await harness.call("DELETE", path), "DELETE", `${PAYMENT}/refunds/{refundId}`, 204);
    fits(await get(`${PAYMENTS}?limit=3`), "GET", PAYMENTS, 200);
  });

  it("stored cards", async () => {
    const customer = fits(
      await harness.call("POST", "/v2/customers", { email: "a@b.example" }),
      "POST",
      "/v2/customers",
      201,
    );
    const path = `/v2/customers/${customer.body.id}`;
    fits(await get(path), "GET", CUSTOMER, 200);
    const first = await made("4242424242424242", { sequenceType: "first", customerId: customer.body.id });
    fits(await get(`${PAYMENTS}/${first}`), "GET", PAYMENT, 200);
    const mandates = fits(await get(`${path}/mandates`), "GET", `${CUSTOMER}/mandates`, 200);
    const [{ id }] = mandates.body._embedded.mandates;
    fits(await get(`${path}/mandates/${id}`), "GET", `${CUSTOMER}/mandates/{mandateId}`, 200);
    const charge = {
      amount: { currency: "EUR", value: "3.00" },
      description: "Again",
      sequenceType: "recurring",
      mandateId: id,
    };
    const charged = await harness.call("POST", `${path}/payments`, charge);
    fits(charged, "POST", `${CUSTOMER}/payments`, 201);
    fits(await get(`${path}/payments`), "GET", `${CUSTOMER}/payments`, 200);
    fits(
      await harness.call("DELETE", `${path}/mandates/${id}`),
      "DELETE",
      `${CUSTOMER}/mandates/{mandateId}`,
      204,
    );
  });

  it("errors", async () => {
    fits(await harness.create({ amount: undefined }), "POST", PAYMENTS, 422);
    fits(await get(`${PAYMENTS}/tr_none`), "GET", PAYMENT, 404);
    fits(await get(`${PAYMENTS}?limit=999`), "GET", PAYMENTS, 400);
    const paid = await made("4000000000000002");
    fits(await harness.call("DELETE", `${PAYMENTS}/${paid}`), "DELETE", PAYMENT, 422);
    fits(await harness.call("POST", `${PAYMENTS}/${paid}/captures`, {}), "POST", `${PAYMENT}/captures`, 422);
    await harness.control.settings({ rateLimitPerSecond: 1 });
    await harness.create();
    fits(await harness.create(), "POST", PAYMENTS, 429);
    await harness.control.settings({ rateLimitPerSecond: 0 });
    await harness.control.faults({ fault: { kind: "status", status: 503 } });
    fits(await harness.create(), "POST", PAYMENTS, 503);
  });

  it("a key that is not the sandbox's is refused", async () => {
    expect((await harness.call("GET", PAYMENTS, undefined, { authorization: "Bearer live_x" })).status).toBe(
      401,
    );
  });
});
