import { describe, expect, it } from "vitest";
import { type Description, problems, schemaOf } from "../../../../test/sandbox/adyen/openapi.ts";
import { publishedFile } from "../../../../test/sandbox/stripe/published-data.ts";
import { moneyOf } from "../../../kernel/money.ts";
import type { Authentication } from "../../domain/authentication.ts";
import type { ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { StoredCredential } from "../../domain/stored-credential.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { fromAdyen, refusesAmount, toAdyen } from "./amounts.ts";
import { adyenAccount, createAdyenConnector } from "./index.ts";

const connector = createAdyenConnector({
  merchantAccount: "TesseraECOM",
  returnUrl: "https://pay.tessera.example/return",
});
const reference = `ref_0107_${"a".repeat(40)}`;
const open: Partial<Payment> = { phase: "open", authorized: 10_000n, providerPayment: "QFQTPCQ8HXSKGK82" };

const OPTIONS: AuthorizeOptions = {
  reference,
  cvcAvailable: true,
  authentication: null,
  exemption: null,
  stored: null,
  returnUrl: "https://shop.example/return",
  webhookUrl: null,
  payer: { ip: "192.0.2.7", country: "NL", email: "payer@shop.example" },
};
const AUTHENTICATED: Authentication = {
  version: "2.2.0",
  transStatus: "Y",
  transStatusReason: null,
  eci: "05",
  cavv: Buffer.alloc(20, 9).toString("base64"),
  dsTransaction: "f25084f0-5b16-4c0a-ae5d-b24808a95e4b",
  acsTransaction: null,
  serverTransaction: "8a880dc0-d2d2-4067-bcb1-b08d1690b26e",
  liabilityShift: true,
  challenged: false,
};
const FIRST: StoredCredential = {
  initiator: "customer",
  reason: "recurring",
  first: true,
  networkTransactionId: null,
};
const LATER: StoredCredential = {
  initiator: "merchant",
  reason: "unscheduled",
  first: false,
  networkTransactionId: "123456789012345",
};

// Tests look into bodies of every shape.
const bodyOf = (request: ProviderRequest): any => JSON.parse(request.body ?? "null");
const authorized = (options: Partial<AuthorizeOptions>, payment: Partial<Payment> = {}) =>
  bodyOf(connector.authorize(samplePayment(payment), { ...OPTIONS, ...options }));

describe("an authorization's request", () => {
  it("says how it is captured, and can be raised only if it is by hand", () => {
    const manual = authorized({});
    expect(manual.additionalData).toEqual({ manualCapture: "true", authorisationType: "PreAuth" });
    expect(manual.captureDelayHours).toBeUndefined();
    const automatic = authorized({}, { captureMethod: "automatic" });
    expect([automatic.captureDelayHours, automatic.additionalData]).toEqual([0, {}]);
    const { terms } = samplePayment();
    const jcb = authorized({}, { terms: { ...terms, card: { ...terms.card, brand: "jcb" } } });
    expect(jcb.additionalData).toEqual({ manualCapture: "true" });
  });

  it("never lets Adyen ask the payer, and shows our own authentication", () => {
    expect(authorized({}).authenticationData).toEqual({ attemptAuthentication: "never" });
    expect(authorized({ authentication: AUTHENTICATED }).mpiData).toMatchObject({
      directoryResponse: "Y",
      cavv: AUTHENTICATED.cavv,
      eci: "05",
      dsTransID: AUTHENTICATED.dsTransaction,
      threeDSVersion: "2.2.0",
    });
    const challenged = { ...AUTHENTICATED, challenged: true };
    expect(authorized({ authentication: challenged }).mpiData).toMatchObject({
      directoryResponse: "C",
      authenticationResponse: "Y",
    });
    const unproven: Authentication = { ...AUTHENTICATED, transStatus: "U", cavv: null };
    expect(authorized({ authentication: unproven }).mpiData).toBeUndefined();
  });

  it.each([
    ["low_value", "lowValue"],
    ["transaction_risk_analysis", "transactionRiskAnalysis"],
    ["trusted_beneficiary", "trustedBeneficiary"],
    ["corporate", "secureCorporate"],
    ["recurring", undefined],
  ] as const)("asks for the exemption %s as %s", (exemption, asked) => {
    expect(authorized({ exemption }).additionalData.scaExemption).toBe(asked);
  });

  it.each([
    [null, "Ecommerce", undefined, undefined],
    [FIRST, "Ecommerce", "Subscription", undefined],
    [{ ...LATER, initiator: "customer" }, "ContAuth", "CardOnFile", "123456789012345"],
    [LATER, "ContAuth", "UnscheduledCardOnFile", "123456789012345"],
    [{ ...LATER, reason: "installment" }, "ContAuth", "Subscription", "123456789012345"],
  ] as const)("with the stored credential %o is %s %s", (stored, interaction, model, first) => {
    const body = authorized({ stored });
    expect(body).toMatchObject({ shopperInteraction: interaction });
    expect(body.recurringProcessingModel).toBe(model);
    expect(body.additionalData.networkTxReference).toBe(first);
  });
});

const file = publishedFile("adyen/CheckoutService-v72.json.gz");
const api = file === null ? null : (JSON.parse(file.toString("utf8")) as Description);

describe.skipIf(api === null)("every request fits the published description", () => {
  const payment = samplePayment(open);
  const change = { amount: 500n, total: 10_500n, final: true, reference };
  const everything: AuthorizeOptions = {
    ...OPTIONS,
    authentication: { ...AUTHENTICATED, challenged: true, transStatusReason: "01" },
    exemption: "low_value",
    stored: LATER,
  };
  const nothing: AuthorizeOptions = {
    ...OPTIONS,
    cvcAvailable: false,
    returnUrl: null,
    payer: { ip: null, country: null, email: null },
  };
  const { cancelAction } = connector;
  it.each([
    ["authorization", "/payments", connector.authorize(samplePayment(), everything)],
    ["bare authorization", "/payments", connector.authorize(samplePayment(), nothing)],
    ["sale", "/payments", connector.authorize(samplePayment({ captureMethod: "automatic" }), OPTIONS)],
    ["capture", "/payments/{paymentPspReference}/captures", connector.capture(payment, change)],
    ["increment", "/payments/{paymentPspReference}/amountUpdates", connector.increment(payment, change)],
    ["void", "/payments/{paymentPspReference}/cancels", connector.void(payment, change)],
    ["refund", "/payments/{paymentPspReference}/refunds", connector.refund(payment, change)],
    ["calling off", "/cancels", cancelAction(sampleOperation(payment), payment, { reference })],
  ])("%s", (_, template, request) => {
    if (api === null || request === null) throw new Error("skipped");
    expect(problems(api, schemaOf(api, template, "request"), bodyOf(request))).toEqual([]);
    expect(request.path).toBe(template.replace("{paymentPspReference}", "QFQTPCQ8HXSKGK82"));
    expect(request.method).toBe("POST");
  });
});

describe("Adyen's amounts", () => {
  it.each([
    ["EUR", 1_234n, 1_234n],
    ["JPY", 500n, 500n],
    ["KWD", 1_234n, 1_234n],
    ["CLP", 500n, 50_000n],
    ["ISK", 500n, 50_000n],
    ["CVE", 12_300n, 123n],
    ["IDR", 1_500_000n, 15_000n],
  ] as const)("%s %d is sent as %d", (currency, minor, value) => {
    const money = moneyOf(minor, currency);
    expect(refusesAmount(money)).toBeNull();
    expect(toAdyen(money)).toBe(value);
    expect(fromAdyen(value, currency)?.minor).toBe(minor);
    expect(authorized({}, { amount: money }).amount).toEqual({ currency, value: Number(value) });
  });

  it("refuses fractions, what is too large for a JSON number, and currencies that Adyen does not take", () => {
    expect(refusesAmount(moneyOf(12_301n, "CVE"))).toMatch(/multiple of 100/);
    expect(refusesAmount(moneyOf(90_071_992_547_410n, "CLP"))).toMatch(/largest/);
    expect(refusesAmount(moneyOf(100n, "KPW"))).toMatch(/KPW/);
    expect(fromAdyen(50_001n, "CLP")).toBeNull();
  });
});

it("the account authenticates each request, and gives those that act their key", () => {
  const { headers, contentType } = adyenAccount({
    baseUrl: "https://checkout-test.adyen.com/v72",
    apiKey: "k",
  });
  const request = connector.void(samplePayment(open), { reference });
  expect(headers(request, reference)).toEqual({ "x-api-key": "k", "idempotency-key": reference });
  expect(reference.length).toBeLessThanOrEqual(64);
  expect(contentType).toBe("application/json");
});
