import type { Payment } from "../../domain/payment.ts";
import type { ProviderResponse } from "../connector.ts";

/** Answers as Stripe gives them, for tests. */
export const open: Partial<Payment> = { phase: "open", authorized: 10_000n, providerPayment: "pi_1" };
export const reference = `ref_0107_${"0".repeat(40)}`;

export const http = (status: number, body: unknown): ProviderResponse => ({
  kind: "http",
  status,
  headers: new Headers(),
  body: typeof body === "string" ? body : JSON.stringify(body),
});
export const intent = (overrides: object = {}) => ({
  object: "payment_intent",
  id: "pi_1",
  status: "succeeded",
  amount: 10_000,
  amount_received: 10_000,
  amount_capturable: 0,
  metadata: { tessera_reference: reference },
  ...overrides,
});
export const error = (type: string, rest: object = {}) => ({ error: { type, message: "…", ...rest } });
