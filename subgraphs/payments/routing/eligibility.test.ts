import { describe, expect, it } from "vitest";
import type { Capabilities } from "../connectors/connector.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";
import { capabilityMatrix } from "./capability-matrix.ts";
import { incapable } from "./eligibility.ts";
import { createProviders } from "./router.ts";
import { sampleFacts, sampleProvider } from "./samples.ts";

const byMerchant = {
  initiator: "merchant",
  reason: "recurring",
  first: false,
  networkTransactionId: "x",
} as const;
const byCustomer = { ...byMerchant, initiator: "customer" } as const;

describe("a provider cannot take", () => {
  it.each<[string | null, Partial<Capabilities>, RoutingFacts]>([
    [null, {}, sampleFacts()],
    ["brand", { brands: ["mastercard"] }, sampleFacts()],
    ["currency", { currencies: ["USD"] }, sampleFacts()],
    [null, { currencies: ["USD", "EUR"] }, sampleFacts()],
    ["country", { countries: ["NL"] }, sampleFacts()],
    [null, { countries: ["NL"] }, sampleFacts({ cardCountry: null })],
    ["manual_capture", { manualCapture: false }, sampleFacts({ captureMethod: "manual" })],
    [null, { manualCapture: false }, sampleFacts()],
    [
      "merchant_initiated",
      { merchantInitiated: false },
      sampleFacts({ stored: byMerchant, payerPresent: false }),
    ],
    [null, { merchantInitiated: false }, sampleFacts({ stored: byCustomer })],
    ["needs_payer", { directCards: false }, sampleFacts({ stored: byMerchant, payerPresent: false })],
    [null, { directCards: false }, sampleFacts()],
    ["method", {}, sampleFacts({ method: { type: "bank_transfer" } })],
  ])("%s: %j", (expected, capabilities, facts) => {
    expect(incapable(sampleProvider("p", capabilities), facts)).toBe(expected);
  });

  it("an amount that it refuses", () => {
    const provider = sampleProvider("p", {}, ({ minor }) => (minor < 50n ? "too little" : null));
    expect([49n, 50n].map((minor) => incapable(provider, sampleFacts({ minor })))).toEqual(["amount", null]);
  });
});

describe("the matrix", () => {
  const matrix = capabilityMatrix(
    createProviders([
      sampleProvider("a", {
        brands: ["visa", "mastercard"],
        currencies: ["EUR"],
        overCaptureBps: { visa: 1_500 },
      }),
      sampleProvider("b", {
        brands: ["visa"],
        countries: ["US"],
        manualCapture: false,
        partialRefund: false,
      }),
    ]),
  );
  const found = (query: Parameters<typeof matrix>[0]) =>
    matrix(query).map(({ provider, method }) => `${provider} ${method}`);

  it.each([
    [{}, ["a visa", "a mastercard", "b visa"]],
    [{ method: "visa" }, ["a visa", "b visa"]],
    [{ currency: "USD" }, ["b visa"]],
    [{ country: "DE" }, ["a visa", "a mastercard"]],
    [{ operation: "capture" as const }, ["a visa", "a mastercard"]],
    [{ operation: "increment" as const }, ["a visa", "b visa"]],
    [{ operation: "capture_more" as const }, ["a visa"]],
    [{ operation: "refund_partially" as const }, ["a visa", "a mastercard"]],
    [{ method: "visa", country: "US", currency: "USD", operation: "authorize" as const }, ["b visa"]],
    [{ method: "jcb" }, []],
  ])("of %j", (query, expected) => expect(found(query)).toEqual(expected));
});
