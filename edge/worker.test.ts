import { request as httpRequest } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestEdge, type TestEdge, VAULT_ORIGIN } from "./testing/harness.ts";

/** The api worker in workerd, with a region that the test plays. */
let edge: TestEdge;
let secretKey: string;
let publishableKey: string;
let merchant: string;

beforeAll(async () => {
  edge = await startTestEdge({ api: { REGION_TIMEOUT_MS: "700", KEY_CACHE_MS: "900" } });
  const id = edge.region.newMerchant();
  merchant = id;
  secretKey = await edge.region.issueKey("secret", id);
  publishableKey = await edge.region.issueKey("publishable", id);
});
afterAll(() => edge.close());

const defaultAnswer = () => ({ body: '{"data":{"__typename":"Query"}}' });
afterEach(() => {
  edge.region.answer = defaultAnswer;
  edge.region.lookupAnswer = null;
  edge.region.requests.length = 0;
  edge.region.lookups.length = 0;
});

type Answer = Awaited<ReturnType<TestEdge["graphql"]>>;

async function refused(answer: Answer): Promise<{ code: string; message: string }> {
  const { errors } = (await answer.json()) as {
    errors: { message: string; extensions: { code: string; requestId: string } }[];
  };
  const [error] = errors;
  expect(errors).toHaveLength(1);
  expect(error?.extensions.requestId).toBe(answer.headers.get("tessera-request-id"));
  return { code: error?.extensions.code ?? "", message: error?.message ?? "" };
}

describe("forwarding", () => {
  it("passes body and answer, with the edge's signed word about who asks", async () => {
    edge.region.answer = () => ({
      status: 200,
      body: '{"data":{"a":1}}',
      headers: { "set-cookie": "a=b", "x-powered-by": "x" },
    });
    const answer = await edge.api.fetch("/graphql", {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        authorization: `Bearer ${secretKey}`,
        "cf-connecting-ip": "203.0.113.9",
      },
      body: '{"query":"{ a }"}',
      cf: { country: "BR" },
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('{"data":{"a":1}}');
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect(answer.headers.get("x-powered-by")).toBeNull();
    const [received] = edge.region.requests;
    expect(received?.body).toBe('{"query":"{ a }"}');
    expect(received?.identity).toEqual({
      merchant,
      scope: "secret",
      requestId: answer.headers.get("tessera-request-id"),
      ip: "203.0.113.9",
      country: "BR",
    });
  });

  it("lets none of the client's own headers pass but a few, least of all tessera-…", async () => {
    await edge.graphql(secretKey, "{}", {
      "tessera-identity": "forged",
      "tessera-request-id": "chosen-by-client",
      "tessera-vault-auth": "forged",
      cookie: "a=b",
      "x-forwarded-for": "1.2.3.4",
      "user-agent": "client-agent",
      "apollographql-client-name": "shop",
    });
    const [received] = edge.region.requests;
    const headers = received?.headers ?? {};
    expect(
      Object.keys(headers)
        .filter((name) => name.startsWith("tessera-"))
        .sort(),
    ).toEqual(["tessera-identity", "tessera-request-id"]);
    expect(headers["apollographql-client-name"]).toBe("shop");
    for (const name of ["cookie", "x-forwarded-for", "authorization", "referer"])
      expect(headers[name], name).toBeUndefined();
    expect(headers["user-agent"]).not.toBe("client-agent");
    expect(received?.identity?.requestId).toMatch(/^req_[0-9a-f]{32}$/);
    expect(received?.headers["tessera-request-id"]).toBe(received?.identity?.requestId);
    expect(JSON.stringify(received?.headers)).not.toContain("forged");
    expect(JSON.stringify(received?.headers)).not.toContain(secretKey);
  });

  it("names each request itself", async () => {
    const ids = await Promise.all(
      [1, 2, 3].map(async () => (await edge.graphql(secretKey, "{}")).headers.get("tessera-request-id")),
    );
    expect(new Set(ids).size).toBe(3);
  });

  it("passes the region's own GraphQL errors with their status", async () => {
    edge.region.answer = () => ({ status: 400, body: '{"errors":[{"message":"Syntax Error"}]}' });
    const answer = await edge.graphql(secretKey, "{");
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("Syntax Error");
  });
});

describe("a region that does not answer", () => {
  it.each([
    ["breaks the connection", () => "reset" as const, 503],
    ["is silent", () => "hang" as const, 504],
    [
      "answers something else",
      () => ({ status: 502, body: "<html>", headers: { "content-type": "text/html" } }),
      503,
    ],
    ["redirects", () => ({ status: 302, body: "{}", headers: { location: "http://127.0.0.1:1/" } }), 503],
    ["does not accept the edge's signature", () => ({ status: 401, body: "{}" }), 503],
  ])("%s: UNAVAILABLE, and the mutation is sent once", async (_name, answer, status) => {
    edge.region.answer = answer;
    const response = await edge.graphql(secretKey, '{"query":"mutation { pay }"}');
    expect(response.status).toBe(status);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    const { code, message } = await refused(response);
    expect(code).toBe("UNAVAILABLE");
    expect(message).toContain("same idempotencyKey");
    expect(edge.region.requests).toHaveLength(1);
  });
});

describe("browsers", () => {
  const shop = { origin: "https://shop.example" };

  it("a publishable key works from any page, preflight included", async () => {
    const preflight = await edge.api.fetch("/graphql", {
      method: "OPTIONS",
      headers: { ...shop, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    const answer = await edge.graphql(publishableKey, "{}", shop);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(edge.region.requests[0]?.identity?.scope).toBe("publishable");
  });

  it("a secret key from another origin is refused, readably, and nothing is asked or sent", async () => {
    for (const origin of ["https://shop.example", "null"]) {
      const answer = await edge.graphql(secretKey, "{}", { origin });
      expect(answer.status).toBe(403);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      const { code, message } = await refused(answer);
      expect(code).toBe("FORBIDDEN");
      expect(message.toLowerCase()).toContain("secret keys belong on servers");
    }
    expect(edge.region.requests).toHaveLength(0);
  });

  it("the edge's own page, the explorer, may use a secret key", async () => {
    const answer = await edge.graphql(secretKey, "{}", { origin: edge.url.origin });
    expect(answer.status).toBe(200);
  });
});

describe("limits", () => {
  /** Sends a body chunk by chunk without saying how long it is; gives the status. */
  function stream(bytes: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${secretKey}` };
      const request = httpRequest(new URL("/graphql", edge.url), { method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on("error", reject);
      for (let sent = 0; sent < bytes; sent += 1024) request.write("x".repeat(Math.min(1024, bytes - sent)));
      request.end();
    });
  }

  it("takes 64 KiB and not a byte more, counted as it arrives", async () => {
    expect(await stream(64 * 1024)).toBe(200);
    expect(edge.region.requests.at(-1)?.body).toHaveLength(64 * 1024);
    expect(await stream(64 * 1024 + 1)).toBe(413);
    expect(await stream(1024 * 1024)).toBe(413);
    expect(edge.region.requests).toHaveLength(1);
  });

  it("says so in GraphQL's shape", async () => {
    const answer = await edge.graphql(secretKey, "x".repeat(1024 * 1024));
    expect(answer.status).toBe(413);
    expect((await refused(answer)).code).toBe("PAYLOAD_TOO_LARGE");
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/jsonp",
  ])("refuses %s", async (type) => {
    const answer = await edge.graphql(secretKey, "{}", { "content-type": type });
    expect(answer.status).toBe(415);
    expect((await refused(answer)).code).toBe("UNSUPPORTED_MEDIA_TYPE");
  });

  it.each(["GET", "PUT", "DELETE"])("refuses %s", async (method) => {
    const answer = await edge.api.fetch("/graphql", { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toContain("POST");
    expect((await refused(answer)).code).toBe("METHOD_NOT_ALLOWED");
  });
});

describe("static routes", () => {
  it("serves the loader with this deployment's vault in it, to any page", async () => {
    const answer = await edge.api.fetch("/v1/checkout.js");
    const script = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(answer.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(script).toContain(VAULT_ORIGIN);
    expect(script).not.toContain("vault.invalid");
  });

  it("says where the vault is", async () => {
    expect(await (await edge.api.fetch("/v1/config")).json()).toEqual({ vault: VAULT_ORIGIN });
  });

  it("leads to the explorer, or says that it was not built", async () => {
    const redirect = await edge.api.fetch("/explorer", { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("location")]).toEqual([308, "/explorer/"]);
    const page = await edge.api.fetch("/explorer/");
    if (page.status === 404) expect(await page.text()).toContain("not part of this deployment");
    else expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect((await edge.api.fetch("/explorer/no-such-file.js")).status).toBe(404);
  });

  it("carries security headers on every answer", async () => {
    for (const path of ["/healthz", "/graphql", "/nowhere", "/v1/checkout.js", "/explorer/"]) {
      const { headers } = await edge.api.fetch(path);
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("content-security-policy"), path).toContain("default-src 'none'");
      expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
      expect(headers.get("strict-transport-security"), path).toContain("max-age=");
      expect(headers.get("tessera-request-id"), path).toMatch(/^req_/);
    }
  });

  it("does not serve the asset folder itself", async () => {
    for (const path of ["/", "/v1", "/v1/", "/worker.js", "/explorer/..%2fv1/checkout.js"])
      expect((await edge.api.fetch(path)).status, path).toBe(404);
  });
});

it("logs neither keys nor bodies", async () => {
  edge.region.answer = () => "reset";
  await edge.graphql(secretKey, '{"query":"{ canary }"}');
  const logs = JSON.stringify(edge.harness.getLogs());
  expect(logs).toContain("edge.region_unreachable");
  expect(logs).not.toContain(secretKey);
  expect(logs).not.toContain("canary");
});
