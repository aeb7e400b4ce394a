import type { Currency } from "../../kernel/currency.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { Capabilities, Connector, ProviderResponse } from "../connectors/connector.ts";
import type { ProviderRequest } from "../domain/operation.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";

/** Providers and payments for tests of routing: a provider that can do all, and what a test takes away. */
const ABLE: Capabilities = {
  brands: ["visa", "mastercard", "amex"],
  currencies: null,
  countries: null,
  directCards: true,
  manualCapture: true,
  partialCapture: true,
  multipleCaptures: true,
  increment: ["visa"],
  overCaptureBps: {},
  partialRefund: true,
  multipleRefunds: true,
  voidAfterPartialCapture: true,
  externalAuthentication: true,
  ownAuthentication: false,
  merchantInitiated: true,
};

const notHere = (): never => {
  throw new Error("routing asks a connector for nothing but what it can do");
};

export const sampleProvider = (
  name: string,
  capabilities: Partial<Capabilities> = {},
  refusesAmount: Connector["refusesAmount"] = () => null,
): Connector => ({
  name,
  capabilities: { ...ABLE, ...capabilities },
  resolver: { idempotencyWindowMs: 0, maxRequestLifetimeMs: 0, absenceIsDefinite: false, reverse: null },
  refusesAmount,
  authorize: notHere,
  increment: notHere,
  capture: notHere,
  void: notHere,
  refund: notHere,
  answer: notHere,
  lookup: notHere,
  found: notHere,
  cancelAction: notHere,
  webhooks: null,
});

type Changes = Partial<Omit<RoutingFacts, "card" | "amount">> & {
  readonly brand?: string;
  readonly minor?: bigint;
  readonly currency?: Currency;
};

export function sampleFacts({
  brand = "visa",
  minor = 5_000n,
  currency = "EUR",
  ...rest
}: Changes = {}): RoutingFacts {
  return {
    merchant: "mer_sample",
    amount: moneyOf(minor, currency),
    captureMethod: "automatic",
    card: {
      token: "tok_sample",
      brand,
      bin: "42424242",
      last4: "4242",
      expMonth: 12,
      expYear: 2040,
      fingerprint: "fp_sample",
    },
    cardCountry: "DE",
    payerCountry: "DE",
    stored: null,
    payerPresent: true,
    canRedirect: true,
    ...rest,
  };
}

export const sampleRequest: ProviderRequest = { method: "POST", path: "/", body: "{}", token: null };
export const sampleAnswer: ProviderResponse = {
  kind: "http",
  status: 200,
  headers: new Headers(),
  body: "{}",
};
