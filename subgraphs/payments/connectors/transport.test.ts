import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MerchantId } from "../../kernel/ids.ts";
import type { ProviderRequest } from "../domain/operation.ts";
import type { EgressRequest, EgressResponse, VaultClient } from "../vault/client.ts";
import { STRIPE_VERSION, stripeAccount } from "./stripe/index.ts";
import { createProviderTransport, type ProviderAccount, type ProviderTransport } from "./transport.ts";

/** Over real sockets, against a provider that the test plays. */
type Received = { method: string; path: string; headers: IncomingMessage["headers"]; body: string };

const merchant = "mer_1" as MerchantId;
const DEADLINE_MS = 400;
const GET: ProviderRequest = { method: "GET", path: "/things?x=1", body: null, token: null };
const POST: ProviderRequest = { method: "POST", path: "/things", body: '{"a":1}', token: null };
const CARD: ProviderRequest = { ...POST, body: '{"n":"{{card.number}}"}', token: "tok_1" };

class Provider {
  readonly received: Received[] = [];
  readonly sockets = new Set<Socket>();
  open = 0;
  mostOpen = 0;
  respond: (response: ServerResponse, request: IncomingMessage) => unknown = (response) => response.end("{}");
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    response.on("close", () => this.open--);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      this.received.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
      this.respond(response, request);
    });
  }).on("connection", (socket) => this.sockets.add(socket));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let provider: Provider;
let url: string;
let transport: ProviderTransport;
let asked: EgressRequest[];
let egress: (request: EgressRequest) => Promise<EgressResponse>;

const account = (change: Partial<ProviderAccount> = {}): ProviderAccount => ({
  baseUrl: url,
  contentType: "application/json",
  headers: (_request, reference) => ({ "x-api-key": "k", "idempotency-key": reference }),
  ...change,
});

function open(providers: Record<string, ProviderAccount>, deadlineMs = DEADLINE_MS): void {
  const unasked = () => Promise.reject(new Error("not asked by a transport"));
  const vault: VaultClient = {
    describe: unasked,
    forgetCvc: unasked,
    egress: (request) => {
      asked.push(request);
      return egress(request);
    },
    close: async () => {},
  };
  transport = createProviderTransport({ providers, vault, deadlineMs });
}

beforeEach(async () => {
  provider = new Provider();
  url = await provider.listen();
  asked = [];
  egress = async () => ({ status: 200, headers: { "tessera-egress": "forwarded", "x-a": "1" }, body: "{}" });
  open({ p: account() });
});
afterEach(async () => {
  await provider.close();
  await transport.close();
});

const send = (request: ProviderRequest, name = "p") => transport.sendFor(name, merchant)(request, "ref_1");

describe("what is sent directly", () => {
  it("is the request as it stands, below the account's base URL, with the account's headers", async () => {
    await transport.close();
    open({ p: account({ baseUrl: `${url}/v72/` }) });
    provider.respond = (response) => response.writeHead(422, { pspreference: "P" }).end('{"errorCode":"1"}');
    for (const method of ["POST", "PATCH", "PUT", "DELETE"] as const) {
      const answer = await send({ ...POST, method });
      expect(answer).toMatchObject({ kind: "http", status: 422, body: '{"errorCode":"1"}' });
      expect(answer.kind === "http" && answer.headers.get("pspreference")).toBe("P");
      expect(provider.received.at(-1)).toMatchObject({
        method,
        path: "/v72/things",
        body: '{"a":1}',
        headers: { "x-api-key": "k", "idempotency-key": "ref_1", "content-type": "application/json" },
      });
    }
    await send(GET);
    expect(provider.received.at(-1)).toMatchObject({ method: "GET", path: "/v72/things?x=1", body: "" });
    expect(provider.received.at(-1)?.headers["content-type"]).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it("is Stripe's dialect for Stripe", async () => {
    await transport.close();
    open({ p: stripeAccount({ baseUrl: url, secretKey: "sk_1" }) });
    const expected = { authorization: "Bearer sk_1", "stripe-version": STRIPE_VERSION };
    await send({ ...POST, body: "a=1" });
    expect(provider.received[0]?.headers).toMatchObject({
      ...expected,
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": "ref_1",
    });
    await send(GET);
    expect(provider.received[1]?.headers).toMatchObject(expected);
    expect(provider.received[1]?.headers["idempotency-key"]).toBeUndefined();
  });

  it("keeps its connection for the next", async () => {
    for (let i = 0; i < 10; i++) await send(POST);
    // The first is perhaps still being put back when the second request comes.
    expect(provider.sockets.size).toBeLessThanOrEqual(2);
  });
});

describe("what is sent through the vault", () => {
  it("goes to the same address with the same headers", async () => {
    await transport.close();
    open({ p: account({ baseUrl: "https://provider.test/v72" }) });
    const answer = await send(CARD);
    expect(answer).toMatchObject({ kind: "http", status: 200, body: "{}" });
    expect(asked).toEqual([
      {
        merchant,
        token: "tok_1",
        reference: "ref_1",
        url: "https://provider.test/v72/things",
        headers: { "x-api-key": "k", "idempotency-key": "ref_1", "content-type": "application/json" },
        body: CARD.body,
        deadlineMs: expect.any(Number),
      },
    ]);
    expect(provider.received).toEqual([]);
  });

  const says = (outcome: string | undefined, status: number, body: string) => async () => ({
    status,
    headers: outcome === undefined ? {} : { "tessera-egress": outcome },
    body,
  });
  const failing = (code: string) => async () => {
    throw Object.assign(new Error(code), { code });
  };
  const error = '{"error":{"code":"X"}}';
  it.each([
    ["refused", says("refused", 403, error), { kind: "not_sent", code: "X" }],
    ["failed", says("failed", 502, error), { kind: "lost" }],
    ["in another way", says("perhaps", 200, "{}"), { kind: "lost" }],
    ["without a word", says(undefined, 403, error), { kind: "lost" }],
    ["in no JSON", says("refused", 403, "<html>"), { kind: "not_sent", code: "unknown" }],
    ["not at all", failing("ECONNREFUSED"), { kind: "not_sent", code: "UNREACHABLE" }],
    ["by breaking off", failing("UND_ERR_SOCKET"), { kind: "lost", because: "UND_ERR_SOCKET" }],
    ["too late", () => new Promise<never>(() => {}), { kind: "lost", because: "no answer in time" }],
  ])("and answered %s is told as what it is", async (_name, answers, expected) => {
    egress = answers;
    expect(await send(CARD)).toMatchObject(expected);
    expect(asked).toHaveLength(1);
  });

  it("is a POST with a body, or nothing", async () => {
    for (const request of [
      { ...CARD, method: "GET" as const },
      { ...CARD, body: null },
    ])
      expect(await send(request)).toMatchObject({ kind: "not_sent", code: "REQUEST_UNSENDABLE" });
    expect(asked).toEqual([]);
  });
});

describe("lost, and sent once", () => {
  const drip: Provider["respond"] = (response) => {
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  };
  it.each<[string, Provider["respond"]]>([
    ["that is silent", () => {}],
    ["that resets the connection", (_response, { socket }) => socket.resetAndDestroy()],
    ["that closes the connection", (_response, { socket }) => socket.destroy()],
    [
      "that stops within its answer",
      (response) => response.writeHead(200, { "content-length": 9 }).write("{"),
    ],
    ["that answers drop by drop", drip],
    [
      "that breaks off within its answer",
      (response) => {
        response.writeHead(200, { "content-length": 9 }).write("{");
        setTimeout(() => response.socket?.destroy(), 20);
      },
    ],
    ["that answers too much", (response) => response.end("x".repeat(1_000_001))],
    ["that speaks another protocol", (_response, { socket }) => socket.end("SSH-2.0\r\n")],
  ])("by a provider %s", async (_name, respond) => {
    provider.respond = respond;
    for (const request of [POST, GET]) {
      provider.received.length = 0;
      const from = performance.now();
      expect((await send(request)).kind).toBe("lost");
      expect(performance.now() - from).toBeLessThan(DEADLINE_MS + 250);
      expect(provider.received).toHaveLength(1);
    }
    // The next is not sent into what is left of the last.
    provider.respond = (response) => response.end("ok");
    expect(await send(POST)).toMatchObject({ kind: "http", body: "ok" });
  });
});

describe("not sent, for certain", () => {
  it("where nobody listens", async () => {
    await provider.close();
    expect(await send(POST)).toEqual({ kind: "not_sent", code: "UNREACHABLE", because: "ECONNREFUSED" });
    provider = new Provider();
  });

  it("to a provider that is not configured", async () => {
    for (const name of ["q", "toString", "__proto__"])
      expect(await send(POST, name)).toMatchObject({ kind: "not_sent", code: "PROVIDER_NOT_CONFIGURED" });
  });

  it("as a request that no HTTP can carry", async () => {
    expect(await send({ ...POST, path: "/a\r\nx: y" })).toMatchObject({ kind: "not_sent" });
    expect(provider.received).toEqual([]);
  });
});

describe("room", () => {
  const others = new Provider();
  const held: ServerResponse[] = [];

  beforeEach(async () => {
    await transport.close();
    const elsewhere = await others.listen();
    held.length = 0;
    provider.respond = (response) => held.push(response);
    open({ p: account({ maxConnections: 2 }), q: account({ baseUrl: elsewhere }) });
    egress = async () => ({ status: 200, headers: { "tessera-egress": "forwarded" }, body: "{}" });
  });
  afterEach(() => others.close());

  it("is each provider's own: one that is silent holds up nobody else", async () => {
    const stuck = Array.from({ length: 8 }, () => send(POST));
    const from = performance.now();
    expect(await send(POST, "q")).toMatchObject({ kind: "http" });
    expect(performance.now() - from).toBeLessThan(DEADLINE_MS / 4);
    const answers = await Promise.all(stuck);
    expect(answers.map(({ kind }) => kind).sort()).toEqual([
      ...Array(2).fill("lost"),
      ...Array(6).fill("not_sent"),
    ]);
    expect(provider.received).toHaveLength(2);
    expect(provider.mostOpen).toBe(2);
  });

  it("is given to as many more as wait, in their order, and to no others", async () => {
    const codes: string[] = [];
    const all = [0, 1, 2, 3, 4].map(async (n) => {
      const answer = await transport.sendFor("p", merchant)({ ...POST, path: `/${n}` }, "r");
      codes.push(answer.kind === "not_sent" ? `${n} ${answer.code}` : `${n} ${answer.kind}`);
    });
    while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(codes).toEqual(["4 PROVIDER_BUSY"]);
    provider.respond = (response) => response.end("{}");
    for (const response of held) response.end("{}");
    await Promise.all(all);
    expect(provider.received.map(({ path }) => path).slice(2)).toEqual(["/2", "/3"]);
    expect(provider.mostOpen).toBe(2);
    expect(codes.slice(1).sort()).toEqual(["0 http", "1 http", "2 http", "3 http"]);
  });

  it("is counted for what goes through the vault too, and given back whatever happened", async () => {
    let under = 0;
    let most = 0;
    egress = async () => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under--;
      throw new Error("broken");
    };
    for (let round = 0; round < 5; round++) await Promise.all([send(CARD), send(CARD), send(CARD)]);
    expect(most).toBe(2);
    provider.respond = (response) => response.end("{}");
    expect(await send(POST)).toMatchObject({ kind: "http" });
  });
});
