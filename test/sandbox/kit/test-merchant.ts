/**
 * A merchant for the kit's tests: it receives webhooks, remembers them, and answers as it is told.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "./http.ts";

export type Heard = {
  readonly id: string;
  readonly type: string;
  readonly payment: string;
  readonly signature: string;
  readonly text: string;
};

export type Merchant = {
  readonly url: string;
  readonly heard: Heard[];
  /** The statuses of the answers to come; 200 once they are used up; 0 cuts the connection, -1 says nothing. */
  readonly answers: number[];
  readonly stop: () => Promise<void>;
};

export async function startMerchant(): Promise<Merchant> {
  const heard: Heard[] = [];
  const answers: number[] = [];
  const hear = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readBody(message, 100_000);
    heard.push({ ...(JSON.parse(text) as Heard), signature: String(message.headers["x-signature"]), text });
    const status = answers.shift() ?? 200;
    if (status === 0) message.socket.destroy();
    else if (status > 0) response.writeHead(status).end("ok");
  };
  const server = createServer((message, response) => void hear(message, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/hooks`, heard, answers, stop };
}

/** A client of the example's API. `order` is also the idempotency key. */
export function payer(url: string, apiKey: string) {
  return async (order: string, path = "/payments", key = `${order} ${path}`) => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "idempotency-key": key },
      body: JSON.stringify(
        path === "/payments" ? { amount: 500, currency: "EUR", card: "4242424242424242", order } : {},
      ),
    });
    const body = (await response.json()) as { id: string; state: string; error?: string };
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body };
  };
}

/** Polls until `holds` or two seconds have passed; gives the last value. */
export async function eventually<V>(read: () => V | Promise<V>, holds: (value: V) => boolean): Promise<V> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
