import { describe, expect, it } from "vitest";
import { problems, requestSchema } from "../../../../test/sandbox/mollie/openapi-schema.ts";
import { publishedApi } from "../../../../test/sandbox/mollie/published-api.ts";
import { moneyOf } from "../../../kernel/money.ts";
import type { ProviderRequest } from "../../domain/operation.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { CURRENCIES, fromMollie, toMollie } from "./amounts.ts";
import { createMollieConnector, mollieAccount } from "./index.ts";
import { reference } from "./samples.ts";

const connector = createMollieConnector();
const open = { phase: "open", authorized: 10_000n, providerPayment: "tr_1" } as const;
const OPTIONS: AuthorizeOptions = {
  reference,
  cvcAvailable: true,
  authentication: null,
  exemption: null,
  stored: null,
  returnUrl: "https://shop.example/return",
  webhookUrl: "https://pay.example/webhooks/mollie/1",
  payer: { ip: null, country: null, email: null },
};
const stored = (initiator: "customer" | "merchant", mandate: string | null) => ({
  ...OPTIONS,
  stored: {
    initiator,
    reason: "unscheduled" as const,
    first: initiator === "customer",
    networkTransactionId: null,
    atProvider: { customer: "cst_1", mandate },
  },
});

describe("Mollie's amounts", () => {
  it.each([
    ["EUR", 1_234n, "12.34"],
    ["EUR", 5n, "0.05"],
    ["JPY", 500n, "500"],
    ["ISK", 7n, "7"],
  ] as const)("%s %s is written %s, and read back", (currency, minor, value) => {
    expect(toMollie(moneyOf(minor, currency))).toEqual({ currency, value });
    expect(fromMollie({ currency, value }, currency)).toBe(minor);
    expect(connector.refusesAmount(moneyOf(minor, currency))).toBeNull();
  });

  it.each([
    [{ currency: "USD", value: "12.34" }, "EUR"],
    [{ currency: "EUR", value: "12.3" }, "EUR"],
    [{ currency: "EUR", value: "-1.00" }, "EUR"],
    [{ currency: "EUR", value: "1e3" }, "EUR"],
    [{ currency: "JPY", value: "5.00" }, "JPY"],
  ] as const)("%j is not read as %s", (amount, currency) => {
    expect(fromMollie(amount, currency)).toBeNull();
  });

  it("are refused where cards are not charged in the currency, or far too large", () => {
    expect(connector.refusesAmount(moneyOf(100n, "KWD"))).toContain("KWD");
    expect(connector.refusesAmount(moneyOf(10n ** 13n, "EUR"))).toContain("EUR");
    for (const currency of CURRENCIES) {
      expect(connector.refusesAmount(moneyOf(100n, currency))).toBeNull();
    }
  });
});

/** Mollie describes a refund's request by the schema of its answer. */
const ONLY_IN_ANSWERS = /^\$\.(resource|id|mode|status|createdAt|paymentId|_links): missing$/;

describe("requests", () => {
  const payment = samplePayment(open);
  const PAYMENTS = "/v2/payments";
  const PAYMENT = "/v2/payments/{paymentId}";
  const requests: readonly (readonly [string, string, ProviderRequest])[] = [
    ["an authorization", PAYMENTS, connector.authorize(samplePayment(), OPTIONS)],
    ["one that stores the card", PAYMENTS, connector.authorize(samplePayment(), stored("customer", null))],
    ["one without the payer", PAYMENTS, connector.authorize(samplePayment(), stored("merchant", "mdt_1"))],
    ["a capture", `${PAYMENT}/captures`, connector.capture(payment, { amount: 1n, final: true, reference })],
    ["a release", `${PAYMENT}/release-authorization`, connector.void(payment, { reference })],
    ["a refund", `${PAYMENT}/refunds`, connector.refund(payment, { amount: 5n, reference })],
  ];
  const bodyOf = ({ body }: ProviderRequest) => JSON.parse(body ?? "null") as Record<string, unknown>;

  const api = publishedApi();
  it.skipIf(api === null).each(requests)("%s fits what Mollie publishes for %s", (_, path, request) => {
    if (api === null) throw new Error("skipped");
    expect(request.path).toBe(path.replace("{paymentId}", "tr_1"));
    const schema = requestSchema(api, "POST", path);
    const body = bodyOf(request);
    const wrong = problems(api, schema, body).filter((problem) => !ONLY_IN_ANSWERS.test(problem));
    // Its description lets recurring payments do without, its list of required members does not.
    const unlisted = body["sequenceType"] === "recurring" ? ["$.redirectUrl: missing"] : [];
    expect(wrong).toEqual(unlisted);
  });
  it("send the payer to their page and back, and tell where to call", () => {
    const [, , request] = requests[0] ?? [];
    expect(bodyOf(request as ProviderRequest)).toMatchObject({
      amount: { currency: "EUR", value: "100.00" },
      method: "creditcard",
      captureMode: "manual",
      redirectUrl: "https://shop.example/return",
      cancelUrl: "https://shop.example/return",
      webhookUrl: "https://pay.example/webhooks/mollie/1",
      metadata: { tessera_reference: reference, tessera_payment: expect.stringMatching(/^pay_/) },
    });
  });

  it("name customer and mandate only where Mollie keeps the card, and never send an absent payer to a page", () => {
    const [, , first] = requests[1] ?? [];
    expect(bodyOf(first as ProviderRequest)).toMatchObject({ sequenceType: "first", customerId: "cst_1" });
    const [, , later] = requests[2] ?? [];
    const body = bodyOf(later as ProviderRequest);
    expect(body).toMatchObject({ sequenceType: "recurring", customerId: "cst_1", mandateId: "mdt_1" });
    expect(body["redirectUrl"]).toBeUndefined();
    const { atProvider: _, ...elsewhere } = stored("merchant", "mdt_1").stored;
    const lost = bodyOf(connector.authorize(samplePayment(), { ...OPTIONS, stored: elsewhere }));
    expect(lost).toMatchObject({ sequenceType: "recurring" });
    expect([lost["customerId"], lost["redirectUrl"]]).toEqual([undefined, undefined]);
  });

  it("end what nobody has paid yet otherwise than what is authorized", () => {
    const waiting = samplePayment({ phase: "requires_action", providerPayment: "tr_1" });
    const cancel = { method: "DELETE", path: "/v2/payments/tr_1", body: null };
    expect(connector.void(waiting, { reference })).toMatchObject(cancel);
    expect(connector.cancelAction(sampleOperation(waiting), waiting, { reference })).toMatchObject(cancel);
    const unnamed = samplePayment();
    expect(connector.cancelAction(sampleOperation(unnamed), unnamed, { reference })).toBeNull();
  });

  it("carry the key for what acts, and the API key", () => {
    const { headers } = mollieAccount({ baseUrl: "https://api.mollie.com", apiKey: "test_1" });
    const post = connector.void(payment, { reference });
    expect(headers(post, "r")).toEqual({ authorization: "Bearer test_1", "idempotency-key": "r" });
    expect(headers({ ...post, method: "DELETE" }, "r")).toEqual({ authorization: "Bearer test_1" });
  });
});
