import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookDelivery } from "./world.ts";

export type WebhookReceiver = {
  /** `http://127.0.0.1:PORT/webhooks` */
  readonly url: string;
  readonly deliveries: () => readonly WebhookDelivery[];
  stop(): Promise<void>;
};

/** Keeps every webhook as it came, byte for byte, and answers what the connector says that the provider wants to hear. */
export async function startWebhookReceiver(received: {
  status: number;
  body: string;
}): Promise<WebhookReceiver> {
  const deliveries: WebhookDelivery[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
      deliveries.push({ headers: Object.fromEntries(headers), body: Buffer.concat(chunks) });
      response.writeHead(received.status).end(received.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    deliveries: () => deliveries,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
