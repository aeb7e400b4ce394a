import { describe, expect, it } from "vitest";
import { publishedFile } from "../../../../test/sandbox/stripe/published-data.ts";
import { moneyOf } from "../../../kernel/money.ts";
import type { Operation, OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { ProviderResponse } from "../connector.ts";
import { fromStripe, refusesAmount, toStripe } from "./amounts.ts";
import { encodeForm } from "./form.ts";
import { createStripeConnector } from "./index.ts";

const connector = createStripeConnector();
const open: Partial<Payment> = { phase: "open", authorized: 10_000n, providerPayment: "pi_1" };
const reference = "ref_0107_00";

const http = (status: number, body: unknown): ProviderResponse => ({
  kind: "http",
  status,
  headers: new Headers(),
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const intent = (overrides: object) => ({
  object: "payment_intent",
  id: "pi_1",
  status: "succeeded",
  amount: 10_000,
  amount_received: 10_000,
  amount_capturable: 0,
  metadata: { tessera_reference: reference },
  ...overrides,
});
const error = (type: string, rest: object = {}) => ({ error: { type, message: "…", ...rest } });

describe("Stripe's amounts", () => {
  it.each([
    ["EUR", 1_234n, 1_234n],
    ["JPY", 500n, 500n],
    ["KWD", 12_340n, 12_340n],
    ["ISK", 500n, 50_000n],
    ["UGX", 500n, 50_000n],
    ["MGA", 500n, 5n],
  ] as const)("%s %s is sent as %s, and read back", (currency, minor, sent) => {
    expect(toStripe(moneyOf(minor, currency))).toBe(sent);
    expect(fromStripe(sent, currency).minor).toBe(minor);
    expect(refusesAmount(moneyOf(minor, currency))).toBeNull();
  });

  it.each([
    ["KWD", 12_345n],
    ["MGA", 501n],
    ["EUR", 1_000_000_000_000n],
  ] as const)("%s %s is refused, in words", (currency, minor) => {
    expect(refusesAmount(moneyOf(minor, currency))).toContain(currency);
  });
});

describe("the form encoding", () => {
  it("nests with brackets and escapes", () => {
    expect(
      decodeURIComponent(encodeForm({ a: 1, b: { c: true, d: ["x", { e: "y&z" }] }, f: undefined })),
    ).toBe("a=1&b[c]=true&b[d][0]=x&b[d][1][e]=y&z");
  });
});

describe("requests", () => {
  const payment = samplePayment(open);
  const requests: Record<string, { path: string; body: string | null; token: string | null }> = {
    "an authorization": connector.authorize(samplePayment(), { reference, cvcAvailable: true }),
    "a sale": connector.authorize(samplePayment({ captureMethod: "automatic", description: "Coasters" }), {
      reference,
      cvcAvailable: false,
    }),
    "a capture": connector.capture(payment, { amount: 10_000n, final: true }),
    "a partial capture": connector.capture(payment, { amount: 1n, final: false }),
    "a cancel": connector.void(payment),
    "a refund": connector.refund(payment, { amount: 5n, reference }),
  };

  it("carry placeholders for the vault and no card data", () => {
    const { body, token } = requests["an authorization"] as { body: string; token: string };
    expect(token).toBe(payment.card.token);
    const fields = new URLSearchParams(body);
    expect(fields.get("payment_method_data[card][number]")).toBe("{{card.number}}");
    expect(fields.get("payment_method_data[card][cvc]")).toBe("{{card.cvc}}");
    expect(requests["a sale"]?.body).not.toContain("cvc");
    for (const [name, request] of Object.entries(requests)) {
      if (name.includes("capture") || name.includes("cancel") || name.includes("refund"))
        expect(request.token).toBeNull();
    }
  });

  it("are the same whenever they are made again", () => {
    expect(connector.capture(payment, { amount: 10_000n, final: true })).toEqual(requests["a capture"]);
  });

  const description = publishedFile("stripe/openapi-2023-08-16.payments.json.gz");
  /** What a POST to the path takes, as Stripe publishes it. */
  function schemaOf(path: string): JsonSchema {
    const api = JSON.parse(String(description)) as {
      paths: Record<string, { post: { requestBody: { content: Record<string, { schema: JsonSchema }> } } }>;
    };
    const [content] = Object.values(api.paths[path]?.post.requestBody.content ?? {});
    if (content === undefined) throw new Error(`Stripe publishes no POST ${path}`);
    return content.schema;
  }
  /** Newer than the published description, or left out of it; the official client's types know all but the card. */
  const NEWER = ["final_capture", "payment_method_options[card][request_multicapture]"];
  /** The raw card in a payment intent is for PCI-certified callers: described with payment methods, where it is the same. */
  const RAW_CARD = /^payment_method_data\[((?:card|type).*)$/;

  it.skipIf(description === null).each(Object.entries(requests))(
    "%s has only parameters that Stripe publishes",
    (_, request) => {
      const template = request.path.replace(/\/pi_1(\/|$)/, "/{intent}$1");
      const published = schemaOf(template);
      for (const [name, value] of new URLSearchParams(request.body ?? "")) {
        if (NEWER.includes(name)) continue;
        const raw = RAW_CARD.exec(name)?.[1]?.replace("]", "");
        const schema = raw === undefined ? published : schemaOf("/v1/payment_methods");
        const accepted = accepts(schema, pathOf(raw ?? name), value.replace(/{{card\..*}}/, "12"));
        expect(accepted, `${template} ${name}=${value}`).toBe(true);
      }
      for (const required of published.required ?? [])
        expect(new URLSearchParams(request.body ?? "").has(required)).toBe(true);
    },
  );
});

type JsonSchema = {
  readonly type?: string;
  readonly properties?: Record<string, JsonSchema>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: JsonSchema[];
  readonly enum?: string[];
  readonly required?: string[];
};

const pathOf = (name: string): string[] => name.replaceAll("]", "").split("[");

function accepts(schema: JsonSchema, [head, ...rest]: string[], value: string): boolean {
  if (schema.anyOf !== undefined)
    return schema.anyOf.some((one) => accepts(one, head === undefined ? [] : [head, ...rest], value));
  if (head === undefined) {
    if (schema.enum !== undefined) return schema.enum.includes(value);
    if (schema.type === "integer") return /^\d+$/.test(value);
    if (schema.type === "boolean") return value === "true" || value === "false";
    return schema.type === "string";
  }
  if (schema.items !== undefined) return accepts(schema.items, rest, value);
  const property = schema.properties?.[head];
  if (property !== undefined) return accepts(property, rest, value);
  return typeof schema.additionalProperties === "object" && accepts(schema.additionalProperties, rest, value);
}

describe("an answer", () => {
  const manual = samplePayment();
  const automatic = samplePayment({ captureMethod: "automatic" });
  const operationOf = (kind: OperationKind, payment: Payment, overrides: Partial<Operation> = {}) =>
    sampleOperation(payment, { kind, reference, ...overrides });
  const authorize = (response: ProviderResponse, first = true, payment = manual) =>
    connector.answer(operationOf("authorize", payment), payment, response, first);

  it("of success says what was done", () => {
    const held = intent({
      status: "requires_capture",
      amount_received: 0,
      amount_capturable: 10_000,
      latest_charge: { payment_method_details: { card: { capture_before: 1_800_000_000 } } },
    });
    expect(authorize(http(200, held))).toEqual({
      kind: "done",
      providerPayment: "pi_1",
      captured: false,
      amount: 10_000n,
      expiresAt: new Date(1_800_000_000_000),
    });
    expect(authorize(http(200, intent({})), true, automatic)).toMatchObject({
      kind: "done",
      captured: true,
      amount: 10_000n,
    });
  });

  it.each([
    ["insufficient_funds", "card_declined", "insufficient_funds"],
    ["expired_card", "expired_card", undefined],
    ["generic_decline", "card_declined", "some_new_code"],
    ["authentication_required", "authentication_required", "authentication_not_handled"],
    ["suspected_fraud", "card_declined", "fraudulent"],
  ])("of 402 is a decline: %s", (code, stripeCode, declineCode) => {
    const body = error("card_error", {
      code: stripeCode,
      decline_code: declineCode,
      payment_intent: { id: "pi_1" },
    });
    expect(authorize(http(402, body))).toMatchObject({
      kind: "declined",
      decline: { code },
      providerPayment: "pi_1",
    });
  });

  it.each<[string, ProviderResponse]>([
    ["500", http(500, error("api_error"))],
    ["503 without a body", http(503, "")],
    ["409", http(409, error("invalid_request_error", { code: "idempotency_key_in_use" }))],
    ["429", http(429, error("rate_limit_error", { code: "rate_limit" }))],
    ["an idempotency mismatch", http(400, error("idempotency_error"))],
    ["200 with garbage", http(200, "<html>")],
    ["200 with another object", http(200, { object: "charge", id: "ch_1" })],
    ["200 with a state that was not asked for", http(200, intent({ status: "requires_action" }))],
    ["200 and processing", http(200, intent({ status: "processing" }))],
    ["402 that is no card error", http(402, error("api_error"))],
    ["a redirect", http(302, "")],
    ["nothing", { kind: "lost", because: "ECONNRESET" }],
  ])("that is %s is unknown, never a failure", (_, response) => {
    expect(authorize(response).kind).toBe("unknown");
    expect(authorize(response, false).kind).toBe("unknown");
  });

  it("that refuses certainly is a failure; what may be our own doing is so only the first time", () => {
    const tooSmall = http(400, error("invalid_request_error", { code: "amount_too_small" }));
    expect(authorize(tooSmall)).toMatchObject({ kind: "failed", decline: { code: "amount_not_accepted" } });
    const state = http(400, error("invalid_request_error", { code: "payment_intent_unexpected_state" }));
    const payment = samplePayment({ ...open, capturing: 10_000n });
    const capture = operationOf("capture", payment);
    expect(connector.answer(capture, payment, state, true).kind).toBe("failed");
    expect(connector.answer(capture, payment, state, false).kind).toBe("unknown");
    const unauthorized = http(401, error("invalid_request_error"));
    expect([authorize(unauthorized).kind, authorize(unauthorized, false).kind]).toEqual([
      "failed",
      "unknown",
    ]);
    const refused: ProviderResponse = { kind: "not_sent", code: "CVC_UNAVAILABLE", because: "…" };
    expect([authorize(refused).kind, authorize(refused, false).kind]).toEqual(["failed", "unknown"]);
  });

  it("to a capture counts this capture's part", () => {
    const payment = samplePayment({ ...open, captured: 3_000n, capturing: 2_000n });
    const capture = operationOf("capture", payment, { amount: 2_000n });
    const answered = (received: number) =>
      connector.answer(
        capture,
        payment,
        http(200, intent({ status: "requires_capture", amount_received: received })),
        true,
      );
    expect(answered(5_000)).toMatchObject({ kind: "done", amount: 2_000n });
    expect(answered(4_000)).toMatchObject({ kind: "done", amount: 1_000n }); // not what was asked: for a person
  });

  it.each([
    ["succeeded", "done"],
    ["failed", "failed"],
    ["canceled", "failed"],
    ["pending", "unknown"],
    ["requires_action", "unknown"],
  ])("to a refund that is %s is %s", (status, kind) => {
    const payment = samplePayment({ ...open, captured: 10_000n });
    const refund = { object: "refund", id: "re_1", status, amount: 10_000 };
    expect(connector.answer(operationOf("refund", payment), payment, http(200, refund), true).kind).toBe(
      kind,
    );
  });
});

describe("a look-up", () => {
  const payment = samplePayment({ ...open, capturing: 10_000n });
  const found = (kind: OperationKind, body: unknown, of = payment, status = 200) =>
    connector.found(sampleOperation(of, { kind, reference }), of, http(status, body));

  it("finds an authorization by its reference only", () => {
    const other = intent({ metadata: { tessera_reference: "ref_other" } });
    expect(found("authorize", { data: [other] }).kind).toBe("absent");
    expect(found("authorize", { data: [] }).kind).toBe("absent");
    expect(found("authorize", { data: [other, intent({})] }).kind).toBe("done");
    expect(found("authorize", { data: [intent({}), intent({ id: "pi_2" })] }).kind).toBe("unknown");
  });

  it("tells a capture and a cancel by the intent's state", () => {
    expect(
      found("capture", intent({ status: "requires_capture", amount_received: 0, amount_capturable: 10_000 }))
        .kind,
    ).toBe("absent");
    expect(found("capture", intent({})).kind).toBe("done");
    expect(found("capture", intent({ status: "canceled", amount_received: 0 })).kind).toBe("failed");
    expect(found("void", intent({ status: "canceled" })).kind).toBe("done");
    expect(found("void", intent({ status: "requires_capture" })).kind).toBe("absent");
    expect(found("void", intent({ status: "succeeded" })).kind).toBe("unknown");
  });

  it("that fails tells nothing", () => {
    for (const status of [400, 404, 429, 500])
      expect(found("authorize", error("api_error"), payment, status).kind).toBe("unknown");
    const lost = connector.found(sampleOperation(payment), payment, { kind: "lost", because: "timeout" });
    expect(lost.kind).toBe("unknown");
  });
});
