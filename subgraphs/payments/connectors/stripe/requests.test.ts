import { describe, expect, it } from "vitest";
import { publishedFile } from "../../../../test/sandbox/stripe/published-data.ts";
import { moneyOf } from "../../../kernel/money.ts";
import type { Authentication } from "../../domain/authentication.ts";
import type { Payment } from "../../domain/payment.ts";
import { samplePayment, sampleTerms } from "../../domain/samples.ts";
import type { StoredCredential } from "../../domain/stored-credential.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { fromStripe, refusesAmount, toStripe } from "./amounts.ts";
import { encodeForm } from "./form.ts";
import { createStripeConnector } from "./index.ts";
import { markOf } from "./requests.ts";

const connector = createStripeConnector();
const open: Partial<Payment> = { phase: "open", authorized: 10_000n, providerPayment: "pi_1" };
const reference = `ref_0107_${"0123456789".repeat(4)}`;
const options = (overrides: Partial<AuthorizeOptions> = {}): AuthorizeOptions => ({
  reference,
  cvcAvailable: true,
  authentication: null,
  exemption: null,
  stored: null,
  returnUrl: "https://shop.example/back",
  webhookUrl: null,
  payer: { ip: "192.0.2.1", country: "NL", email: "payer@shop.example" },
  ...overrides,
});
const fieldsOf = (overrides: Partial<AuthorizeOptions>, payment = samplePayment()): URLSearchParams =>
  new URLSearchParams(connector.authorize(payment, options(overrides)).body ?? "");

const authentication: Authentication = {
  version: "2.2.0",
  transStatus: "Y",
  transStatusReason: null,
  eci: "05",
  cavv: "AAABBWcSNIdjeUZThmNHAAAAAAA=",
  dsTransaction: "f25084f0-5b16-4c0a-ae5d-b24808a95e4b",
  acsTransaction: null,
  serverTransaction: "a1b2c3d4-5b16-4c0a-ae5d-b24808a95e4b",
  liabilityShift: true,
  challenged: false,
};
const byMerchant: StoredCredential = {
  initiator: "merchant",
  reason: "recurring",
  first: false,
  networkTransactionId: "412345678901234",
};
const first: StoredCredential = {
  initiator: "customer",
  reason: "recurring",
  first: true,
  networkTransactionId: null,
};
const absentPayer = {
  returnUrl: null,
  cvcAvailable: false,
  payer: { ip: null, country: null, email: null },
};

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

describe("an authorization's request", () => {
  const card = "payment_method_options[card]";

  it("carries placeholders for the vault and no card data", () => {
    const payment = samplePayment();
    const request = connector.authorize(payment, options());
    expect(request.token).toBe(payment.terms.card.token);
    const fields = new URLSearchParams(request.body ?? "");
    expect(fields.get("payment_method_data[card][number]")).toBe("{{card.number}}");
    expect(fields.get("payment_method_data[card][cvc]")).toBe("{{card.cvc}}");
    expect(fieldsOf({ cvcAvailable: false }).has("payment_method_data[card][cvc]")).toBe(false);
  });

  it("lets a payer who is there be asked, and nobody else", () => {
    const asked = fieldsOf({});
    expect(asked.get("return_url")).toBe("https://shop.example/back");
    expect(asked.has("error_on_requires_action")).toBe(false);
    for (const nobody of [absentPayer, { authentication }]) {
      const fields = fieldsOf(nobody);
      expect(fields.get("error_on_requires_action")).toBe("true");
      expect(fields.has("return_url")).toBe(false);
      expect(fields.get("automatic_payment_methods[allow_redirects]")).toBe("never");
    }
  });

  it("hands over an authentication of ours, as the directory told it", () => {
    const secure = `${card}[three_d_secure]`;
    const fields = fieldsOf({ authentication, exemption: "transaction_risk_analysis" });
    expect(fields.get(`${secure}[cryptogram]`)).toBe(authentication.cavv);
    expect(fields.get(`${secure}[transaction_id]`)).toBe(authentication.dsTransaction);
    expect(fields.get(`${secure}[version]`)).toBe("2.2.0");
    expect(fields.get(`${secure}[electronic_commerce_indicator]`)).toBe("05");
    expect(fields.get(`${secure}[ares_trans_status]`)).toBe("Y");
    expect(fields.get(`${secure}[exemption_indicator]`)).toBe("low_risk");
    const challenged = fieldsOf({ authentication: { ...authentication, challenged: true } });
    expect(challenged.get(`${secure}[ares_trans_status]`)).toBe("C");
    expect(challenged.has(`${secure}[exemption_indicator]`)).toBe(false);
    const withoutCavv = fieldsOf({ authentication: { ...authentication, cavv: null } });
    expect([...withoutCavv.keys()].some((name) => name.includes("three_d_secure"))).toBe(false);
  });

  it("says how a stored card is used", () => {
    const storing = fieldsOf({ stored: first });
    expect(storing.get("setup_future_usage")).toBe("off_session");
    expect(storing.get(`${card}[setup_credential_usage]`)).toBe("recurring");
    expect(storing.has("off_session")).toBe(false);
    const later = fieldsOf({ ...absentPayer, stored: byMerchant });
    expect(later.get("off_session")).toBe("true");
    expect(later.get(`${card}[stored_credential_usage]`)).toBe("recurring");
    expect(later.get(`${card}[mit_exemption][network_transaction_id]`)).toBe("412345678901234");
    expect(later.has("setup_future_usage")).toBe(false);
    const onDemand = fieldsOf({ stored: { ...first, reason: "on_demand" } });
    expect(onDemand.get("setup_future_usage")).toBe("on_session");
  });

  it("names the original transaction only where the account may", () => {
    const plain = createStripeConnector({ mitExemption: false });
    const { body } = plain.authorize(samplePayment(), options({ ...absentPayer, stored: byMerchant }));
    expect(body).not.toContain("mit_exemption");
  });
});

const payment = samplePayment(open);
const requests: Record<string, { path: string; body: string | null; token: string | null }> = {
  "an authorization": connector.authorize(samplePayment(), options()),
  "a sale": connector.authorize(
    samplePayment({ captureMethod: "automatic", terms: sampleTerms({ description: "Coasters" }) }),
    options({ cvcAvailable: false }),
  ),
  "an authorization that stores": connector.authorize(samplePayment(), options({ stored: first })),
  "an authorization without the payer": connector.authorize(
    samplePayment(),
    options({ ...absentPayer, stored: byMerchant }),
  ),
  "an authenticated authorization": connector.authorize(samplePayment(), options({ authentication })),
  "an increment": connector.increment(payment, { amount: 5n, total: 10_005n, reference }),
  "a capture": connector.capture(payment, { amount: 10_000n, final: true, reference }),
  "a partial capture": connector.capture(payment, { amount: 1n, final: false, reference }),
  "a cancel": connector.void(payment, { reference }),
  "a refund": connector.refund(payment, { amount: 5n, reference }),
};

describe("requests", () => {
  it("are the same whenever they are made again", () => {
    expect(connector.capture(payment, { amount: 10_000n, final: true, reference })).toEqual(
      requests["a capture"],
    );
  });

  it("mark what may be in flight beside others: names have at most 40 characters", () => {
    expect(markOf(reference).length).toBeLessThanOrEqual(40);
    for (const name of ["an increment", "a partial capture"]) {
      const fields = new URLSearchParams(requests[name]?.body ?? "");
      expect(fields.get(`metadata[${markOf(reference)}]`), name).toBe(reference);
      // The authorization is still found by its own.
      expect(fields.has("metadata[tessera_reference]"), name).toBe(false);
    }
    expect(requests["an increment"]?.body).toContain("amount=10005");
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
  /**
   * Newer than the published description, or left out of it; the official client's types know all of these but
   * `mit_exemption`, which integrators document.
   */
  const NEWER =
    /^(final_capture|payment_method_options\[card\]\[(request_(multicapture|incremental_authorization|overcapture)|(setup|stored)_credential_usage|three_d_secure|mit_exemption)\].*)$/;
  /** The raw card in a payment intent is for PCI-certified callers: described with payment methods, where it is the same. */
  const RAW_CARD = /^payment_method_data\[((?:card|type).*)$/;

  it.skipIf(description === null).each(Object.entries(requests))(
    "%s has only parameters that Stripe publishes",
    (_, request) => {
      const template = request.path.replace(/\/pi_1(\/|$)/, "/{intent}$1");
      const published = schemaOf(template);
      for (const [name, value] of new URLSearchParams(request.body ?? "")) {
        if (NEWER.test(name)) continue;
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
