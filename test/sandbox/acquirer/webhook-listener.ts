/** A merchant's endpoint for the sandbox's own tests: it keeps what it hears. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type WebhookListener = {
  readonly url: string;
  readonly heard: { readonly body: string; readonly signature: string }[];
  stop(): Promise<void>;
};

export async function startWebhookListener(): Promise<WebhookListener> {
  const heard: { body: string; signature: string }[] = [];
  const server = createServer((message, response) => {
    let body = "";
    message.setEncoding("utf8");
    message.on("data", (part: string) => {
      body += part;
    });
    message.on("end", () => {
      heard.push({ body, signature: String(message.headers["tessera-signature"]) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard, stop };
}
