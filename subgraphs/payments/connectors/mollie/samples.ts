import { AT } from "../../domain/samples.ts";
import type { ProviderResponse } from "../connector.ts";

/** Values for tests: what Mollie answers, about the payment `tr_1` whose authorization carries this reference. */
export const reference = "ref_0107_00";

export const http = (status: number, body: unknown): ProviderResponse => ({
  kind: "http",
  status,
  headers: new Headers({ date: AT.toUTCString() }),
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const metadata = { tessera_reference: reference };
export const eur = (value: string) => ({ currency: "EUR", value });
export const paymentObject = (overrides: object) => ({
  resource: "payment",
  id: "tr_1",
  status: "open",
  amount: eur("100.00"),
  createdAt: "2026-11-22T12:00:00+00:00",
  metadata,
  _links: { self: {} },
  ...overrides,
});
export const PAYS_AT = {
  _links: { checkout: { href: "https://www.mollie.com/checkout/1", type: "text/html" } },
};
export const part = (resource: "capture" | "refund", status: string, overrides: object = {}) => ({
  resource,
  id: `${resource}_1`,
  status,
  amount: eur("40.00"),
  paymentId: "tr_1",
  metadata,
  ...overrides,
});
export const error = (status: number, field?: string) => ({
  status,
  title: "Wrong",
  detail: "…",
  field,
  _links: {},
});
