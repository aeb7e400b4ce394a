/** Every kind of answer, and the requests that the tests send, held against the published description. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publishedFile } from "../stripe/published-data.ts";
import { type Description, problems, schemaOf } from "./openapi.ts";
import { refusingCard } from "./test-cards.ts";
import {
  type Answer,
  amount,
  type Harness,
  MERCHANT_ACCOUNT,
  newReference,
  payment,
  startHarness,
} from "./test-harness.ts";

const file = publishedFile("adyen/CheckoutService-v72.json.gz");
const api = file === null ? null : (JSON.parse(file.toString("utf8")) as Description);

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

test("the checker finds what is wrong", () => {
  const schemas = { coin: { type: "object", required: ["side"], properties: { side: { enum: ["heads"] } } } };
  const small: Description = { paths: {}, components: { schemas } };
  const schema = { $ref: "#/components/schemas/coin" };
  const strict = { additionalProperties: false, properties: { a: { type: "string", maxLength: 1 } } };
  expect(problems(small, schema, { side: "heads", other: 1 })).toEqual([]);
  expect(problems(small, schema, {})).toEqual(["$.side: missing"]);
  expect(problems(small, schema, { side: "edge" })).toHaveLength(1);
  expect(problems(small, strict, { a: "a", b: 1 })).toEqual(["$.b: unknown"]);
  expect(problems(small, strict, { a: "aa" })).toHaveLength(1);
  expect(problems(small, { oneOf: [{ type: "string" }, schema] }, 1)).toHaveLength(1);
});

describe.skipIf(api === null)("the published description fits", () => {
  /** Sends a body that must fit, and checks the answer. */
  const fits = async (path: string, template: string, body: object, status: number): Promise<Answer> => {
    if (api === null) throw new Error("skipped");
    const answer = await harness.post(path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    if (status < 300) expect(problems(api, schemaOf(api, template, "request"), body)).toEqual([]);
    expect(problems(api, schemaOf(api, template, status), answer.body)).toEqual([]);
    return answer;
  };
  const modify = (pspReference: string, what: string, body: object, status = 201) =>
    fits(`/payments/${pspReference}/${what}`, `/payments/{paymentPspReference}/${what}`, body, status);
  const own = () => ({ merchantAccount: MERCHANT_ACCOUNT, reference: newReference() });

  test("payments, as they are answered", async () => {
    await fits("/payments", "/payments", payment("4242424242424242"), 200);
    await fits("/payments", "/payments", payment("4000000000009235"), 200);
    await fits("/payments", "/payments", payment(refusingCard("22")), 200);
    await fits("/payments", "/payments", payment("4000000000000119"), 200);
    await harness.control.faults({ fault: { kind: "processing", afterMs: 5 }, times: 1 });
    await fits("/payments", "/payments", payment("4242424242424242"), 200);
    const full = {
      captureDelayHours: 0,
      additionalData: { authorisationType: "PreAuth", networkTxReference: "123456789012345" },
      shopperInteraction: "ContAuth",
      recurringProcessingModel: "Subscription",
      shopperReference: "cus_1",
      shopperEmail: "payer@shop.example",
      shopperIP: "192.0.2.7",
      metadata: { order: "1" },
      mpiData: {
        directoryResponse: "Y",
        cavv: Buffer.alloc(20, 7).toString("base64"),
        eci: "05",
        dsTransID: "8a1b2c3d-0000-4000-8000-000000000001",
        threeDSVersion: "2.2.0",
      },
    };
    const { body } = await fits("/payments", "/payments", payment("4000002760003184", full), 200);
    expect(body.resultCode).toBe("Authorised");
  });

  test("a redirect, and its end", async () => {
    const { body } = await fits("/payments", "/payments", payment("4000002760003184"), 200);
    expect(body.resultCode).toBe("RedirectShopper");
    const location = await harness.control.bank(body.pspReference, "succeed");
    const redirectResult = new URL(location).searchParams.get("redirectResult");
    const end = await fits("/payments/details", "/payments/details", { details: { redirectResult } }, 200);
    expect(end.body.resultCode).toBe("Authorised");
  });

  test("modifications, as they are taken", async () => {
    const { body } = await harness.post("/payments", payment("4242424242424242"));
    await modify(body.pspReference, "amountUpdates", amount(2000));
    await modify(body.pspReference, "captures", amount(1000));
    await modify(body.pspReference, "refunds", amount(10));
    await modify(body.pspReference, "cancels", own());
    await modify(body.pspReference, "reversals", own());
    await fits("/cancels", "/cancels", { ...own(), paymentReference: "ref_none" }, 201);
  });

  test("errors", async () => {
    await fits("/payments", "/payments", payment("4242424242424241"), 422);
    await fits("/payments", "/payments", payment("4242424242424242", { colour: "red" }), 400);
    await fits("/payments", "/payments", payment("4242424242424242", { merchantAccount: "Other" }), 403);
    await modify("NONE000000000000", "captures", amount(1), 422);
    await harness.control.faults({ fault: { kind: "status", status: 500 }, times: 1 });
    await fits("/payments", "/payments", payment("4242424242424242"), 500);
    const denied = await harness.post("/payments", payment("4242424242424242"), { "x-api-key": "wrong" });
    expect([denied.status, denied.body.errorCode, denied.body.errorType]).toEqual([401, "000", "security"]);
  });
});
