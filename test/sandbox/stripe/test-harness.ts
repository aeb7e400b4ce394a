/**
 * What the sandbox's own tests share: a sandbox in this process, the official client, and a bare client for
 * what the official one hides.
 */

import Stripe from "stripe";
import { StripeSandboxControl } from "./control-client.ts";
import { type Encodable, encodeForm } from "./form.ts";
import { type RunningStripeSandbox, startStripeSandbox } from "./server.ts";
import type { Settings } from "./settings.ts";

export const API_KEY = "sk_test_sandbox";

export type BareAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into answers of every shape.
  readonly body: any;
};

export type Harness = {
  readonly running: RunningStripeSandbox;
  readonly stripe: Stripe;
  readonly control: StripeSandboxControl;
  /** One request without the official client: no retries of its own, no key of its own. */
  readonly bare: (
    method: "GET" | "POST",
    path: string,
    params?: { readonly [name: string]: Encodable },
    headers?: Record<string, string>,
  ) => Promise<BareAnswer>;
};

/** Short waits, so that tests of what happens later do not take long. */
export const QUICK: Partial<Settings> = { searchLagMs: 50, refundDelayMs: 60, asyncCaptureLagMs: 60 };

export async function startHarness(): Promise<Harness> {
  const running = await startStripeSandbox({ port: 0, apiKey: API_KEY });
  return { running, ...clientsOf(running.url) };
}

export function clientsOf(url: string): Omit<Harness, "running"> {
  const { hostname, port } = new URL(url);
  return {
    stripe: new Stripe(API_KEY, {
      host: hostname,
      port: Number(port),
      protocol: "http",
      maxNetworkRetries: 0,
    }),
    control: new StripeSandboxControl(url),
    bare: (method, path, params = {}, headers = {}) => send(url, method, path, params, headers),
  };
}

async function send(
  url: string,
  method: "GET" | "POST",
  path: string,
  params: { readonly [name: string]: Encodable },
  headers: Record<string, string>,
): Promise<BareAnswer> {
  const form = encodeForm(params);
  const address = method === "GET" && form !== "" ? `${url}${path}?${form}` : url + path;
  const response = await fetch(address, {
    method,
    headers: { authorization: `Bearer ${API_KEY}`, ...headers },
    ...(method === "POST" ? { body: new URLSearchParams(form) } : {}),
  });
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status: response.status, headers: response.headers, text, body };
}

export const EXPIRY = { exp_month: 12, exp_year: new Date().getUTCFullYear() + 2 };

/** `payment_method_data` for a card number, with a security code of the right length. */
export function cardData(number: string): {
  type: "card";
  card: { number: string; exp_month: number; exp_year: number; cvc: string };
} {
  return { type: "card", card: { number, ...EXPIRY, cvc: /^3[47]/.test(number) ? "1234" : "123" } };
}

/** A payment that is confirmed at once, for the bare client. */
export function payment(
  number: string,
  extra: { readonly [name: string]: Encodable } = {},
): { readonly [name: string]: Encodable } {
  return {
    amount: 1000,
    currency: "usd",
    confirm: true,
    payment_method_types: ["card"],
    payment_method_data: cardData(number),
    ...extra,
  };
}

/** Polls until `holds` or two seconds have passed; gives the last value. */
export async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The card error of the official client, or a failure of the test where the call went through. */
export async function cardError(call: Promise<unknown>): Promise<Stripe.errors.StripeCardError> {
  return errorOf(call, Stripe.errors.StripeCardError);
}

export async function requestError(call: Promise<unknown>): Promise<Stripe.errors.StripeInvalidRequestError> {
  return errorOf(call, Stripe.errors.StripeInvalidRequestError);
}

async function errorOf<T>(call: Promise<unknown>, kind: new (...args: never[]) => T): Promise<T> {
  try {
    await call;
  } catch (problem) {
    if (problem instanceof kind) return problem;
    throw problem;
  }
  throw new Error("expected the provider to refuse");
}
