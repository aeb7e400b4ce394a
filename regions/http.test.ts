import { request as httpRequest } from "node:http";
import { SignJWT } from "jose";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newDevSecrets } from "../edge/dev-secrets.ts";
import { signInbound } from "../edge/forward/inbound-word.ts";
import type { Clock } from "../subgraphs/kernel/clock.ts";
import {
  type SigningKey,
  signIdentity,
  signingKey,
  signKeyLookup,
  verifyingKeys,
} from "../subgraphs/kernel/identity.ts";
import type { MerchantId } from "../subgraphs/kernel/ids.ts";
import { doorElsewhere, type InboundAnswer, type InboundDoor } from "../subgraphs/payments/inbound/door.ts";
import { type GatewayRoutes, gatewayHandler, listen, subgraphHandler } from "./http.ts";

/** Providers' messages at the region's HTTP door, signed by the edge's own code. */
type Received = { provider: string; headers: Readonly<Record<string, string>>; body: Buffer };

const NOW = new Date("2026-11-23T12:00:00Z");
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const log = pino({ level: "silent" });
const clock: Clock = { now: () => NOW };
const received: Received[] = [];
let answer: () => InboundAnswer | Promise<InboundAnswer>;
const door: InboundDoor = {
  async receive(provider, headers, body) {
    received.push({ provider, headers, body: Buffer.from(body) });
    return answer();
  },
};
const servers: Awaited<ReturnType<typeof listen>>[] = [];
let signer: SigningKey;
let stranger: SigningKey;
/** A gateway with the door in it, one without, and one whose payments subgraph is another process. */
let urls: { open: string; closed: string; apart: string };

async function serve(handler: Parameters<typeof listen>[0]): Promise<string> {
  const server = await listen(handler, { host: "127.0.0.1", port: 0 });
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

beforeAll(async () => {
  const [ours, theirs] = [newDevSecrets(), newDevSecrets()];
  signer = await signingKey(JSON.parse(ours.api.EDGE_SIGNING_KEY));
  stranger = await signingKey(JSON.parse(theirs.api.EDGE_SIGNING_KEY));
  const keys = await verifyingKeys(JSON.parse(ours.region.EDGE_VERIFYING_KEYS));
  const routes: GatewayRoutes = {
    // Not reached by any of these.
    apollo: {} as GatewayRoutes["apollo"],
    merchants: {} as GatewayRoutes["merchants"],
    regionNumber: 1,
    keys,
    clock,
    ready: async () => {},
    showTiming: false,
  };
  const subgraph = {} as Parameters<typeof subgraphHandler>[0];
  const payments = await serve(subgraphHandler(subgraph, { keys, clock, inbound: door }, log));
  urls = {
    open: await serve(gatewayHandler({ ...routes, inbound: door }, log)),
    closed: await serve(gatewayHandler(routes, log)),
    apart: await serve(gatewayHandler({ ...routes, inbound: doorElsewhere(payments) }, log)),
  };
});
afterAll(() => Promise.all(servers.map((server) => server.close(0))));
beforeEach(() => {
  received.length = 0;
  answer = () => ({ status: 200, body: "[accepted]" });
});

type Message = {
  readonly path?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** What the edge signs, if that is something else. */
  readonly signed?: { path?: string; body?: Uint8Array<ArrayBuffer>; by?: SigningKey; at?: Date };
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly to?: keyof typeof urls;
};

async function deliver({ path = "/webhooks/adyen/eu-1", signed = {}, ...message }: Message = {}) {
  const body = message.body ?? new TextEncoder().encode("{}");
  const word = { path: signed.path ?? path, body: signed.body ?? body, requestId: "req_1" };
  const token = await signInbound(word, signed.by ?? signer, signed.at ?? NOW);
  const headers = { "tessera-identity": token, ...message.headers };
  const { method = "POST", to = "open" } = message;
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const request = httpRequest(urls[to] + path, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
        });
      });
      request.on("error", reject);
      request.end(body);
    },
  );
}

const everyByte = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 31) % 256);

describe.each(["open", "apart"] as const)("a provider's message to a region whose door is %s", (to) => {
  it.each([
    ["any bytes", everyByte],
    ["UTF-8", new TextEncoder().encode('{"name":"Zoë – 東京 😀","a": 1.50}\r\n')],
    ["what is not UTF-8", Uint8Array.from([0xff, 0xfe, 0x00, 0xc3, 0x28])],
    ["nothing", new Uint8Array(0)],
  ])("comes in as it was: %s", async (_name, body) => {
    const delivered = await deliver({ to, body });
    expect([delivered.status, delivered.text]).toEqual([200, "[accepted]"]);
    expect(delivered.headers).toMatchObject({
      "tessera-inbound": "answered",
      "content-type": "text/plain; charset=utf-8",
    });
    expect(received).toHaveLength(1);
    expect(received[0]?.provider).toBe("adyen");
    expect(received[0]?.body.equals(body)).toBe(true);
  });

  it("comes with the headers it was signed with, and the endpoint of its address", async () => {
    const kept = { authorization: "Basic eA==", hmacsignature: "abc=", "stripe-signature": "t=1,v1=a" };
    const forged = { "tessera-endpoint": "other", cookie: "a=b", "x-other": "1" };
    await deliver({ to, headers: { ...kept, ...forged } });
    const { "tessera-identity": word, "user-agent": _agent, ...headers } = received[0]?.headers ?? {};
    expect(word).toMatch(/^eyJ/);
    expect(headers).toEqual({ ...kept, "tessera-endpoint": "eu-1" });
    await deliver({ to, path: "/webhooks/three-ds", headers: forged });
    expect(received[1]).toMatchObject({ provider: "three-ds" });
    expect(received[1]?.headers["tessera-endpoint"]).toBeUndefined();
  });

  it.each<InboundAnswer>([
    { status: 401, body: "wrong signature" },
    { status: 404, body: "no such provider" },
    { status: 200, body: '{"messageType":"RRes"}', contentType: "application/json" },
    { status: 503, body: "" },
  ])("is answered what the door answers: %o", async (given) => {
    answer = () => given;
    const delivered = await deliver({ to });
    expect([delivered.status, delivered.text]).toEqual([given.status, given.body]);
    expect(delivered.headers["content-type"]).toContain(given.contentType ?? "text/plain");
    expect(delivered.headers["tessera-inbound"]).toBe("answered");
  });

  it("is not answered by a door that fails, so that the edge has it delivered again", async () => {
    answer = () => Promise.reject(new Error("the database is away"));
    const delivered = await deliver({ to });
    expect([delivered.status, delivered.headers["tessera-inbound"]]).toEqual([503, undefined]);
    expect(delivered.text).not.toContain("database");
  });
});

describe("the edge's word", () => {
  const body = new TextEncoder().encode("{}");
  const other = new TextEncoder().encode("{} ");
  it.each<[string, () => Message]>([
    ["is missing", () => ({ headers: { "tessera-identity": "" } })],
    ["is nonsense", () => ({ headers: { "tessera-identity": "a.b.c" } })],
    ["is another's", () => ({ signed: { by: { ...stranger, kid: signer.kid } } })],
    ["names a key that nobody has", () => ({ signed: { by: { ...signer, kid: "other" } } })],
    ["is for other bytes", () => ({ body, signed: { body: other } })],
    ["is for another provider", () => ({ signed: { path: "/webhooks/stripe" } })],
    ["is for another endpoint", () => ({ signed: { path: "/webhooks/adyen/eu-2" } })],
    ["is old", () => ({ signed: { at: later(-40) } })],
    ["is from the future", () => ({ signed: { at: later(60) } })],
  ])("that %s is not believed", async (_name, message) => {
    for (const to of ["open", "apart"] as const) {
      const delivered = await deliver({ ...message(), to });
      expect([delivered.status, delivered.headers["tessera-inbound"]]).toEqual([401, undefined]);
    }
    expect(received).toHaveLength(0);
  });

  it("holds for some seconds", async () => {
    expect((await deliver({ signed: { at: later(-20) } })).status).toBe(200);
  });

  it("is for this purpose only", async () => {
    const merchant = "mer_1" as MerchantId;
    const identity = { merchant, scope: "secret", requestId: "r", ip: null, country: null } as const;
    const claims = { path: "/webhooks/adyen/eu-1", sha256: "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o" };
    const seconds = NOW.getTime() / 1000;
    const word = (change: object) =>
      new SignJWT({ aud: "region-inbound", iat: seconds, exp: seconds + 30, ...claims, ...change })
        .setProtectedHeader({ alg: "EdDSA", kid: signer.kid })
        .sign(signer.key);
    const headers = { "tessera-identity": await word({}) };
    expect((await deliver({ headers })).status).toBe(200);
    received.length = 0;
    for (const token of [
      await signIdentity(identity, signer, NOW),
      await signKeyLookup(signer, NOW),
      await word({ aud: "region" }),
      await word({ exp: undefined }),
      await word({ iat: undefined }),
      await word({ iat: seconds - 60, exp: seconds + 60 }),
    ])
      expect((await deliver({ headers: { "tessera-identity": token } })).status).toBe(401);
    expect(received).toHaveLength(0);

    const inbound = await signInbound({ path: "/graphql", body, requestId: "r" }, signer, NOW);
    for (const path of ["/graphql", `/internal/api-keys/${"0".repeat(64)}?shard=0`]) {
      const elsewhere = { "tessera-identity": inbound, "content-type": "application/json" };
      const refused = await fetch(urls.open + path, { method: "POST", headers: elsewhere, body });
      expect(refused.status, path).toBe(401);
    }
  });
});

describe("not taken", () => {
  it.each([
    "/webhooks/",
    "/webhooks/Adyen",
    "/webhooks/adyen/eu-1/x",
    "/webhooks/adyen/%2e%2e",
    "/webhooks/adyen/",
  ])("%s: 404", async (path) => {
    expect((await deliver({ path })).status).toBe(404);
    expect(received).toHaveLength(0);
  });

  it("where there is no door", async () => {
    const delivered = await deliver({ to: "closed" });
    expect([delivered.status, delivered.headers["tessera-inbound"]]).toEqual([404, undefined]);
  });

  it("in another way than by POST", async () => {
    expect((await deliver({ method: "PUT" })).status).toBe(405);
    expect(received).toHaveLength(0);
  });

  it("beyond 256 KiB", async () => {
    expect((await deliver({ body: new Uint8Array(256 * 1024) })).status).toBe(200);
    const more = await deliver({ body: new Uint8Array(256 * 1024 + 1) }).catch(() => ({ status: 413 }));
    expect(more.status).toBe(413);
    expect(received).toHaveLength(1);
  });
});
