import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestEdge, type TestEdge } from "../testing/harness.ts";
import type { RegionDouble } from "../testing/region-double.ts";

/** Providers' messages through the api worker in workerd, to a region that the test plays. */
let edge: TestEdge;
const answered = { "tessera-inbound": "answered", "content-type": "text/plain" };

beforeAll(async () => {
  edge = await startTestEdge({ api: { REGION_TIMEOUT_MS: "600" } });
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.region.inbound.length = 0;
  edge.region.inboundAnswer = () => ({ headers: answered, body: "[accepted]" });
});

type Delivery = { status: number; headers: Record<string, unknown>; text: string };

/** Over a socket of our own, so that bytes and headers are exactly these. */
function deliver(
  path: string,
  body: Uint8Array | string = "{}",
  headers: Record<string, string> = {},
  method = "POST",
): Promise<Delivery> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, edge.url), { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

describe("a provider's message", () => {
  const everyByte = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 31) % 256);

  it.each<[string, Uint8Array | string]>([
    ["any bytes", everyByte],
    ["UTF-8", '{"name":"Zoë – 東京 😀","a": 1.50}\r\n'],
    ["a byte order mark and spaces", "\ufeff  { }  \n"],
    ["what is not UTF-8", Uint8Array.from([0xff, 0xfe, 0x00, 0xc3, 0x28])],
    ["nothing", ""],
  ])("reaches the region as it came: %s", async (_name, body) => {
    const delivered = await deliver("/webhooks/stripe", body, { "content-type": "application/json" });
    expect([delivered.status, delivered.text]).toEqual([200, "[accepted]"]);
    const [received] = edge.region.inbound;
    expect(received?.path).toBe("/webhooks/stripe");
    expect(received?.bytes.equals(Buffer.from(body))).toBe(true);
  });

  it("comes with the edge's word for this path and these bytes, and names no merchant", async () => {
    const { headers } = await deliver("/webhooks/adyen/eu-1", everyByte);
    const [received] = edge.region.inbound;
    expect(received?.path).toBe("/webhooks/adyen/eu-1");
    const { iat, exp, ...word } = received?.word ?? {};
    expect(word).toEqual({
      aud: "region-inbound",
      path: "/webhooks/adyen/eu-1",
      sha256: createHash("sha256").update(everyByte).digest("base64url"),
      rid: headers["tessera-request-id"],
    });
    expect(Number(exp) - Number(iat)).toBe(30);
  });

  it("keeps the headers that providers sign with, and no other", async () => {
    const kept = {
      "content-type": "application/json; charset=utf-8",
      "user-agent": "Provider/1",
      authorization: "Basic dXNlcjpwYXNz",
      "stripe-signature": "t=1,v1=abc",
      "x-mollie-signature": "sha256=abc",
      hmacsignature: "abc=",
      "tessera-signature": "t=1,v1=def",
    };
    await deliver("/webhooks/mollie", "{}", {
      ...kept,
      cookie: "a=b",
      "x-forwarded-for": "1.2.3.4",
      "tessera-identity": "forged",
      "tessera-endpoint": "forged",
      "tessera-request-id": "forged",
      "x-other": "1",
    });
    const { headers = {} } = edge.region.inbound[0] ?? {};
    expect(headers).toMatchObject(kept);
    expect(edge.region.inbound[0]?.word).not.toBeNull();
    for (const name of ["cookie", "x-forwarded-for", "x-other", "tessera-endpoint"])
      expect(headers[name], name).toBeUndefined();
    expect(JSON.stringify(headers)).not.toContain("forged");
  });

  it("needs no key, and takes every provider that is named, 3-D Secure's results too", async () => {
    for (const provider of ["stripe", "adyen", "mollie", "acquirer", "three-ds"])
      expect((await deliver(`/webhooks/${provider}`)).status, provider).toBe(200);
  });
});

describe("the region's answer", () => {
  it.each([
    [200, "[accepted]"],
    [202, ""],
    [400, "the signature is wrong"],
    [401, "who are you"],
    [404, "no such provider"],
    [500, "broken"],
    [503, "later"],
  ])("is passed on: %d %s", async (status, body) => {
    edge.region.inboundAnswer = () => ({ status, headers: { ...answered, "set-cookie": "a=b" }, body });
    const delivered = await deliver("/webhooks/stripe");
    expect([delivered.status, delivered.text]).toEqual([status, body]);
    expect(delivered.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(delivered.headers["set-cookie"]).toBeUndefined();
    expect(delivered.headers["x-content-type-options"]).toBe("nosniff");
  });

  it("may be JSON, which 3-D Secure wants, and never a page", async () => {
    for (const [type, passed] of [
      ["application/json; charset=utf-8", "application/json; charset=utf-8"],
      ["text/html", "text/plain; charset=utf-8"],
    ]) {
      edge.region.inboundAnswer = () => ({
        headers: { ...answered, "content-type": type ?? "" },
        body: "{}",
      });
      expect((await deliver("/webhooks/three-ds")).headers["content-type"]).toBe(passed);
    }
  });

  it.each<[string, RegionDouble["inboundAnswer"], number]>([
    ["breaks off", () => "reset", 503],
    ["is silent", () => "hang", 504],
    ["does not believe this edge", () => ({ status: 401, body: "{}" }), 503],
    ["is a proxy's", () => ({ status: 200, headers: { "content-type": "text/html" }, body: "ok" }), 503],
    ["is endless", () => ({ headers: answered, body: "x".repeat(64 * 1024 + 1) }), 503],
  ])("that %s: deliver again, and it was sent once", async (_name, answer, status) => {
    edge.region.inboundAnswer = answer;
    const delivered = await deliver("/webhooks/stripe");
    expect([delivered.status, delivered.text]).toEqual([status, "Not taken. Deliver it again.\n"]);
    expect(edge.region.inbound).toHaveLength(1);
  });
});

describe("not passed on", () => {
  it.each([
    ["/webhooks/unknown", 404],
    ["/webhooks/Stripe", 404],
    ["/webhooks/stripe%2f..%2fgraphql", 404],
    ["/webhooks/stripe/a/b", 404],
    ["/webhooks/stripe/a%2fb", 404],
    ["/webhooks/stripe/..%2f..%2fgraphql", 404],
    [`/webhooks/stripe/${"e".repeat(65)}`, 404],
    ["/webhooks/", 404],
    ["/webhooks", 404],
  ])("%s: %d", async (path, status) => {
    expect((await deliver(path)).status).toBe(status);
    expect(edge.region.inbound).toHaveLength(0);
    expect(edge.region.requests).toHaveLength(0);
  });

  it.each(["GET", "PUT", "DELETE", "OPTIONS"])("%s", async (method) => {
    expect((await deliver("/webhooks/stripe", "", {}, method)).status).toBe(405);
    expect(edge.region.inbound).toHaveLength(0);
  });

  it("256 KiB and a byte more, counted as it arrives", async () => {
    const most = Buffer.alloc(256 * 1024, "x");
    expect((await deliver("/webhooks/stripe", most)).status).toBe(200);
    expect(edge.region.inbound[0]?.bytes).toHaveLength(256 * 1024);
    const more = Buffer.concat([most, Buffer.from("x")]);
    for (const headers of [{}, { "transfer-encoding": "chunked" }])
      expect((await deliver("/webhooks/stripe", more, headers)).status).toBe(413);
    expect(edge.region.inbound).toHaveLength(1);
  });
});

it("logs neither bodies nor signatures", async () => {
  edge.region.inboundAnswer = () => "reset";
  await deliver("/webhooks/stripe", "canary-body", { "stripe-signature": "canary-signature" });
  const logs = JSON.stringify(edge.harness.getLogs());
  expect(logs).toContain("edge.inbound_undelivered");
  expect(logs).not.toContain("canary");
});
