/** What the sandbox's own tests share: a sandbox in this process, a bare client, and a merchant that hears webhooks. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../kit/http.ts";
import { type RunningSandbox, startSandbox } from "../kit/server.ts";
import { AdyenSandboxControl } from "./control-client.ts";
import { adyen } from "./dialect.ts";
import type { AdyenWorld } from "./world.ts";

export const API_KEY = "adyen_test_sandbox";
export const MERCHANT_ACCOUNT = "TesseraECOM";

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers of every shape.
  readonly body: any;
};

/** A NotificationRequestItem, and the headers that it came with. */
export type Heard = { readonly item: any; readonly authorization: string | null };

export type Harness = {
  readonly running: RunningSandbox<AdyenWorld>;
  readonly control: AdyenSandboxControl;
  readonly heard: Heard[];
  readonly post: (path: string, body: object, headers?: Record<string, string>) => Promise<Answer>;
  /** Waits for news of this kind and pspReference. */
  readonly news: (eventCode: string, pspReference: string) => Promise<any>;
  readonly stop: () => Promise<void>;
};

export async function startHarness(): Promise<Harness> {
  const heard: Heard[] = [];
  const hear = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { notificationItems } = JSON.parse(await readBody(message, 100_000));
    for (const { NotificationRequestItem: item } of notificationItems) {
      heard.push({ item, authorization: message.headers.authorization ?? null });
    }
    response.end("[accepted]");
  };
  const merchant = createServer((message, response) => void hear(message, response));
  await new Promise<void>((resolve) => merchant.listen(0, "127.0.0.1", resolve));
  const { port } = merchant.address() as AddressInfo;
  const webhookUrl = `http://127.0.0.1:${port}/adyen`;
  const running = await startSandbox(adyen, { port: 0, apiKey: API_KEY, webhookUrl });
  return {
    running,
    control: new AdyenSandboxControl(running.url),
    heard,
    post: (path, body, headers = {}) => post(`${running.url}/v72${path}`, body, headers),
    news: async (eventCode, pspReference) => {
      const isIt = ({ item }: Heard) => item.eventCode === eventCode && item.pspReference === pspReference;
      return (await eventually(() => heard.find(isIt), Boolean))?.item;
    },
    stop: async () => {
      await running.stop();
      merchant.closeAllConnections();
      await new Promise((resolve) => merchant.close(resolve));
    },
  };
}

async function post(url: string, body: object, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "x-api-key": API_KEY, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: await response.json().catch(() => null),
  };
}

let references = 0;
export const newReference = (): string => `ref_test_${process.pid}_${++references}`;

/** A `/payments` request of 10.00 euros, captured by hand. */
export function payment(number: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    merchantAccount: MERCHANT_ACCOUNT,
    reference: newReference(),
    returnUrl: "https://shop.example/return",
    amount: { value: 1000, currency: "EUR" },
    paymentMethod: {
      type: "scheme",
      number,
      expiryMonth: "03",
      expiryYear: String(new Date().getUTCFullYear() + 2),
      cvc: /^3[47]/.test(number) ? "1234" : "123",
    },
    additionalData: { manualCapture: "true" },
    ...extra,
  };
}

export const amount = (value: number, currency = "EUR"): Record<string, unknown> => ({
  merchantAccount: MERCHANT_ACCOUNT,
  reference: newReference(),
  amount: { value, currency },
});

/** Polls until `holds` or two seconds have passed; gives the last value. */
export async function eventually<T>(read: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
