import { describe, expect, it } from "vitest";
import { schemaOf } from "../../../../test/sandbox/acquirer/requests.ts";
import { RESPONSE_CODES } from "../../../../test/sandbox/acquirer/response-codes.ts";
import { publishedFile } from "../../../../test/sandbox/stripe/published-data.ts";
import { currencies } from "../../../kernel/currency.ts";
import { moneyOf } from "../../../kernel/money.ts";
import type { Authentication } from "../../domain/authentication.ts";
import type { OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment, sampleTerms } from "../../domain/samples.ts";
import type { AuthorizeOptions, ProviderResponse } from "../connector.ts";
import { CURRENCY_NUMBERS } from "./currency-numbers.ts";
import { createAcquirerConnector } from "./index.ts";
import { reversalReference } from "./requests.ts";

const NOW = new Date("2026-11-22T12:34:56Z");
const connector = createAcquirerConnector({ now: () => NOW });
const reference = "ref_0107_00112233445566778899aabbccddeeff00112233";
const options = (overrides: Partial<AuthorizeOptions> = {}): AuthorizeOptions => ({
  reference,
  cvcAvailable: true,
  authentication: null,
  exemption: null,
  stored: null,
  returnUrl: null,
  webhookUrl: null,
  payer: { ip: null, country: null, email: null },
  ...overrides,
});
const authenticated: Authentication = {
  version: "2.2.0",
  transStatus: "Y",
  transStatusReason: null,
  eci: "05",
  cavv: "AAABBEg0VhI0VniQEjRWAAAAAAA=",
  dsTransaction: "11111111-2222-4333-8444-555555555555",
  acsTransaction: null,
  serverTransaction: "66666666-7777-4888-8999-000000000000",
  liabilityShift: true,
  challenged: false,
};
const open = samplePayment({
  provider: "acquirer",
  phase: "open",
  authorized: 10_000n,
  providerPayment: "RRN123456789",
});

describe("messages", () => {
  const operation = sampleOperation(open, { reference });
  const brandOf = (brand: string) => sampleTerms({ card: { ...sampleTerms().card, brand } });
  const messages: Record<string, [definition: string, body: string | null]> = {
    "an authorization": ["authorization", connector.authorize(samplePayment(), options()).body],
    "one of a card that was authenticated": [
      "authorization",
      connector.authorize(samplePayment(), options({ authentication: authenticated })).body,
    ],
    "one with an exemption": [
      "authorization",
      connector.authorize(
        samplePayment({ terms: brandOf("mastercard") }),
        options({ exemption: "low_value" }),
      ).body,
    ],
    "a sale without the payer": [
      "sale",
      connector.authorize(
        samplePayment({ captureMethod: "automatic" }),
        options({
          cvcAvailable: false,
          stored: {
            initiator: "merchant",
            reason: "recurring",
            first: false,
            networkTransactionId: "412345678901234",
          },
        }),
      ).body,
    ],
    "an increment": ["increment", connector.increment(open, { amount: 1n, total: 10_001n, reference }).body],
    "a completion": ["completion", connector.capture(open, { amount: 1n, final: false, reference }).body],
    "a refund": ["refund", connector.refund(open, { amount: 1n, reference }).body],
    "a void": ["reversalAdvice", connector.void(open, { reference }).body],
    "a reversal": ["reversal", connector.resolver.reverse?.(operation, open).body ?? null],
  };

  it.each(Object.entries(messages))("are as the schema has them: %s", (_, [definition, body]) => {
    const filled = (body ?? "")
      .replace("{{card.number}}", "4242424242424242")
      .replace("{{card.exp_yymm}}", "3012")
      .replace("{{card.cvc}}", "123");
    expect(schemaOf(definition).safeParse(JSON.parse(filled)).error?.issues ?? []).toEqual([]);
  });

  it("name what they are about, in the fields' forms", () => {
    const capture = JSON.parse(
      connector.capture(open, { amount: 2_500n, final: true, reference }).body ?? "",
    );
    expect(capture).toMatchObject({
      mti: "0220",
      amount: "000000002500",
      currency: "978",
      transmissionTime: "1122123456",
      completion: "final",
      original: { retrievalReference: "RRN123456789" },
    });
    expect(JSON.parse(connector.authorize(samplePayment(), options()).body ?? "")).toMatchObject({
      mti: "0100",
      amount: "000000010000",
      partialApproval: false,
      ecommerceIndicator: "07",
    });
  });

  it("that reverse are the same whenever they are made", () => {
    const later = createAcquirerConnector();
    expect(later.resolver.reverse?.(operation, open)).toEqual(connector.resolver.reverse?.(operation, open));
  });

  it("take amounts of twelve digits", () => {
    expect(connector.refusesAmount(moneyOf(999_999_999_999n, "EUR"))).toBeNull();
    expect(connector.refusesAmount(moneyOf(1_000_000_000_000n, "EUR"))).toContain("EUR");
  });

  const codes = publishedFile("iso4217/codes-all.csv");
  it.skipIf(codes === null)("number currencies as ISO 4217 does", () => {
    const published = new Set(
      String(codes)
        .split("\n")
        .map((line) => /,([A-Z]{3}),(\d{3}),/.exec(line)?.slice(1).join(" ")),
    );
    for (const currency of currencies)
      expect(published).toContain(`${currency} ${CURRENCY_NUMBERS[currency]}`);
  });
});

const http = (status: number, body: object): ProviderResponse => ({
  kind: "http",
  status,
  headers: new Headers(),
  body: JSON.stringify(body),
});

describe("answers", () => {
  const manual = samplePayment({ provider: "acquirer" });
  const said = (overrides: object = {}): object => ({
    mti: "0110",
    reference,
    responseCode: "00",
    amount: "000000010000",
    currency: "978",
    retrievalReference: "RRN123456789",
    ...overrides,
  });
  const told = (body: object, kind: OperationKind = "authorize", payment: Payment = manual, first = true) =>
    connector.answer(sampleOperation(payment, { kind, reference }), payment, http(200, body), first);

  it("tell what the issuer told", () => {
    const answer = told(
      said({
        approvalCode: "A1B2C3",
        cvcResult: "M",
        addressResult: "Z",
        ecommerceIndicator: "05",
        funding: "D",
        issuerCountry: "NL",
        networkTransactionId: "412345678901234",
        authorizationExpires: "2026-11-29T12:00:00Z",
      }),
    );
    expect(answer).toEqual({
      kind: "done",
      providerPayment: "RRN123456789",
      providerOperation: null,
      captured: false,
      amount: 10_000n,
      expiresAt: new Date("2026-11-29T12:00:00Z"),
      details: {
        rawCode: "00",
        authorizationCode: "A1B2C3",
        networkTransactionId: "412345678901234",
        avs: { address: "no_match", postalCode: "match" },
        cvc: "match",
        eci: "05",
        liabilityShift: true,
        funding: "debit",
        issuerCountry: "NL",
        providerFee: null,
      },
    });
  });

  it.each([
    ["another amount", { amount: "000000009999" }],
    ["no amount", { amount: undefined }],
    ["another currency", { currency: "840" }],
    ["another message", { reference: "ref_0107_other" }],
    ["another type", { mti: "0210" }],
    ["no retrieval reference", { retrievalReference: undefined }],
    ["a part that was not asked for", { responseCode: "10", amount: "000000005000" }],
    ["that it is in progress", { responseCode: "09" }],
    ["a code that nobody has heard of", { responseCode: "ZZ" }],
    ["constructor", { responseCode: "constructor" }],
  ])("that approve %s are unknown", (_, overrides) => {
    expect(told(said(overrides)).kind).toBe("unknown");
  });

  /** The codes that leave an outcome open, as the acquirer documents them. */
  const OPEN = ["09", "10", "68", "94", "96"];
  it.each(Object.keys(RESPONSE_CODES))("of code %s mean one thing only", (responseCode) => {
    const answer = told(said({ responseCode, amount: undefined, retrievalReference: undefined }));
    if (OPEN.includes(responseCode) || responseCode === "00") expect(answer.kind).toBe("unknown");
    else expect(["declined", "failed"]).toContain(answer.kind);
  });

  it("of 400 and 401 are failures the first time, and nothing when they answer a replay", () => {
    const operation = sampleOperation(manual, { reference });
    for (const [status, code] of [
      [400, "format_error"],
      [401, "stale"],
    ] as const) {
      const response = http(status, { error: { code, message: "…" } });
      expect(connector.answer(operation, manual, response, true).kind).toBe("failed");
      expect(connector.answer(operation, manual, response, false).kind).toBe("unknown");
    }
    const other = http(400, { error: { code: "something_else", message: "…" } });
    expect(connector.answer(operation, manual, other, true).kind).toBe("unknown");
  });

  it("that nothing is held any more are all that a void wants, and the end of a capture", () => {
    for (const responseCode of ["79", "Q1"]) {
      expect(told({ mti: "0430", reference, responseCode }, "void", open).kind).toBe("done");
      expect(told({ mti: "0230", reference, responseCode }, "capture", open)).toMatchObject({
        kind: "failed",
        decline: { code: "authorization_expired" },
      });
      expect(told({ mti: "0110", reference, responseCode })).toMatchObject({
        kind: "failed",
        decline: { code: "not_at_provider" },
      });
    }
  });

  it("to a reversal count as a void's only under the reversal's reference", () => {
    const reversed = { mti: "0410", reference: reversalReference(reference), responseCode: "00" };
    expect(told(reversed, "void", manual, false).kind).toBe("done");
    expect(told({ ...reversed, reference }, "void", manual, false).kind).toBe("unknown");
    expect(told({ ...reversed, responseCode: "21" }, "void", manual, false).kind).toBe("failed");
  });
});
