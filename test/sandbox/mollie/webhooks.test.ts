import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { payByCard } from "./control-client.ts";
import { type Harness, startHarness } from "./test-harness.ts";

type Delivery = { readonly type: string; readonly signature: string | undefined; readonly body: string };

let harness: Harness;
let server: Server;
let url = "";
let deliveries: Delivery[] = [];
let status = 200;

beforeAll(async () => {
  harness = await startHarness();
  server = createServer((message, response) => {
    let body = "";
    message.on("data", (chunk: Buffer) => {
      body += chunk.toString("utf8");
    });
    message.on("end", () => {
      const signature = message.headers["x-mollie-signature"];
      deliveries.push({
        type: message.headers["content-type"] ?? "",
        signature: signature as string | undefined,
        body,
      });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  await harness.control.reset();
  deliveries = [];
  status = 200;
});
afterAll(async () => {
  await harness.running.stop();
  server.closeAllConnections();
  server.close();
});

async function paid(overrides: object, number = "4242424242424242"): Promise<string> {
  const { body } = await harness.create(overrides);
  await payByCard(body._links.checkout.href, { number });
  return body.id;
}

const arrived = (count: number) => expect.poll(() => deliveries.length).toBe(count);

describe("classic webhooks", () => {
  it("say the payment's id and nothing else, for every change but the first", async () => {
    const id = await paid({ webhookUrl: url });
    await arrived(1);
    const amount = { currency: "EUR", value: "1.00" };
    await harness.call("POST", `/v2/payments/${id}/refunds`, { amount });
    await arrived(3); // processing and refunded; nobody is told of pending
    for (const { type, signature, body } of deliveries) {
      expect([type, signature, body]).toEqual(["application/x-www-form-urlencoded", undefined, `id=${id}`]);
    }
  });

  it("come again until they are heard", async () => {
    status = 500;
    await harness.control.settings({ webhooks: { retryDelayMs: 10 } });
    await paid({ webhookUrl: url });
    await expect.poll(() => deliveries.length).toBeGreaterThan(1);
    status = 200;
    await expect.poll(async () => (await harness.control.webhooks()).waiting).toBe(0);
  });

  it("come twice, or never, as the settings have it", async () => {
    await harness.control.settings({ webhooks: { duplicateProbability: 1 } });
    await paid({ webhookUrl: url });
    await arrived(2);
    await harness.control.settings({ webhooks: { duplicateProbability: 0, dropProbability: 1 } });
    await paid({ webhookUrl: url });
    await expect
      .poll(async () => (await harness.control.webhooks()).deliveries.at(-1)?.outcome)
      .toBe("dropped");
    expect(deliveries).toHaveLength(2);
  });
});

describe("next-generation events", () => {
  it("carry the payment as it was, signed over the raw bytes", async () => {
    await harness.control.settings({ webhooks: { url, secret: "s3cret" } });
    const id = await paid({ captureMode: "manual" });
    await harness.call("POST", `/v2/payments/${id}/captures`, {});
    await arrived(2);
    const events = deliveries.map(({ body }) => JSON.parse(body));
    expect(events.map(({ type, entityId }) => [type, entityId])).toEqual([
      ["payment.authorized", id],
      ["payment.paid", id],
    ]);
    expect(events.map(({ _embedded }) => _embedded.entity.status)).toEqual(["authorized", "paid"]);
    for (const { signature, body } of deliveries) {
      expect(signature).toBe(`sha256=${createHmac("sha256", "s3cret").update(body).digest("hex")}`);
    }
  });
});
