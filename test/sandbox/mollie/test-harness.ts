/**
 * A running sandbox for tests, with a client that knows nothing of Tessera.
 */

import { type RunningSandbox, startSandbox } from "../kit/server.ts";
import { MollieSandboxControl } from "./control-client.ts";
import { mollie } from "./dialect.ts";
import type { MollieWorld } from "./world.ts";

export const API_KEY = "test_harness";

// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of many shapes
type Json = any;

export type BareAnswer = { readonly status: number; readonly headers: Headers; readonly body: Json };

export type Harness = {
  readonly running: RunningSandbox<MollieWorld>;
  readonly control: MollieSandboxControl;
  /** One request with the key; `key` is its idempotency key. */
  readonly call: (
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<BareAnswer>;
  /** Creates a payment of 10.00 EUR that waits for its payer. */
  readonly create: (overrides?: object, key?: string) => Promise<BareAnswer>;
  /** The payment, once it has this status. */
  readonly until: (id: string, status: string) => Promise<Json>;
};

export async function startHarness(): Promise<Harness> {
  const running = await startSandbox(mollie, { port: 0, apiKey: API_KEY });
  const call: Harness["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(running.url + path, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? null : JSON.parse(text),
    };
  };
  const create: Harness["create"] = (overrides = {}, key) =>
    call(
      "POST",
      "/v2/payments",
      { ...CARD_PAYMENT, ...overrides },
      key === undefined ? {} : { "idempotency-key": key },
    );
  const until: Harness["until"] = async (id, status) => {
    for (const end = Date.now() + 3_000; ; await pause(10)) {
      const { body } = await call("GET", `/v2/payments/${id}`);
      if (body.status === status) return body;
      if (Date.now() > end) throw new Error(`${id} is ${body.status}, not ${status}`);
    }
  };
  return { running, control: new MollieSandboxControl(running.url), call, create, until };
}

export const CARD_PAYMENT = {
  amount: { currency: "EUR", value: "10.00" },
  description: "Coasters",
  redirectUrl: "https://shop.example/return",
  cancelUrl: "https://shop.example/cancel",
  method: "creditcard",
  metadata: { order: "1" },
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
