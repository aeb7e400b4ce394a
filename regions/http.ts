import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type ApolloServer, HeaderMap } from "@apollo/server";
import type { Logger } from "pino";
import type { RequestContext } from "../subgraphs/api/context.ts";
import type { Subgraph } from "../subgraphs/api/subgraph.ts";
import type { Clock } from "../subgraphs/kernel/clock.ts";
import {
  IDENTITY_HEADER,
  REQUEST_ID_HEADER,
  type VerifyingKeys,
  verifyIdentity,
  verifyKeyLookup,
} from "../subgraphs/kernel/identity.ts";
import { homeFor } from "../subgraphs/kernel/ids.ts";
import { collectSteps, serverTiming } from "../subgraphs/kernel/trace.ts";
import type { Merchants } from "../subgraphs/merchants/profile.ts";
import type { Admission } from "../subgraphs/payments/flow/admission.ts";
import {
  ANSWERED_HEADER,
  type InboundDoor,
  inboundAddress,
  inboundHeaders,
  isFromEdge,
} from "../subgraphs/payments/inbound/door.ts";
import { errorBody, readBytes, readJson, reply } from "./exchange.ts";
import type { GatewayContext } from "./gateway.ts";
import { askingOf, claimedMerchant, figuresText, replyTurnedAway } from "./overload.ts";

/** The region's HTTP doors. Everything but health needs the edge's signed word. */

/** Of a provider's message. */
const MAX_INBOUND_BYTES = 256 * 1024;

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export type GatewayRoutes = {
  readonly apollo: ApolloServer<GatewayContext>;
  readonly merchants: Merchants;
  readonly regionNumber: number;
  readonly keys: VerifyingKeys;
  readonly clock: Clock;
  /** Throws if the region cannot serve a payment now. */
  readonly ready: () => Promise<void>;
  readonly showTiming: boolean;
  /** Where providers' messages go; without it there is no such address. */
  readonly inbound?: InboundDoor | undefined;
  /** Who may come in when there is too much to do; without it everybody, always. */
  readonly admission?: Admission | undefined;
  /** What is counted, for /metrics: samples by their names in Prometheus's text format. */
  readonly figures?: (() => Readonly<Record<string, number>>) | undefined;
};

export function gatewayHandler(routes: GatewayRoutes, log: Logger): Handler {
  return guarded(log, async (request, response) => {
    const url = new URL(request.url ?? "/", "http://region");
    if (url.pathname === "/graphql") return serveGraphql(routes, request, response);
    if (url.pathname.startsWith("/internal/api-keys/")) return serveApiKey(routes, url, request, response);
    if (url.pathname.startsWith("/webhooks/")) return serveInbound(routes, url.pathname, request, response);
    if (url.pathname === "/healthz") return reply(response, 200, { status: "up" });
    if (url.pathname === "/metrics") return sayFigures(routes, response);
    if (url.pathname === "/readyz") {
      await routes.ready();
      return reply(response, 200, { status: "ready" });
    }
    reply(response, 404, errorBody("NOT_FOUND", "There is nothing here."));
  });
}

async function serveGraphql(
  routes: GatewayRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { admission } = routes;
  let body: unknown;
  if (admission?.crowded === true && request.method === "POST") {
    body = await readJson(request, response);
    if (body === undefined) return;
    const refused = admission.turnsAway(askingOf(body, claimedMerchant(request.headers[IDENTITY_HEADER])));
    if (refused !== null) return replyTurnedAway(response, refused);
  }
  const context = await authenticate(routes, request, response);
  if (context === null) return;
  if (request.method !== "POST") return reply(response, 405, errorBody("METHOD_NOT_ALLOWED", "Use POST."));
  body ??= await readJson(request, response);
  if (body === undefined) return;
  response.setHeader(REQUEST_ID_HEADER, context.identity.requestId);
  const execute = () => executeGraphql(routes, context, body as object, request, response);
  if (admission === undefined) return execute();
  const entered = await admission.enter(askingOf(body, context.identity.merchant), execute);
  if (!entered.ok) replyTurnedAway(response, entered.error);
}

async function executeGraphql(
  routes: GatewayRoutes,
  context: GatewayContext,
  body: object,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const execute = () =>
    routes.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: "POST", headers, search: "", body },
      context: async () => context,
    });
  const result = routes.showTiming ? await withTiming(execute, response) : await execute();
  response.statusCode = result.status ?? 200;
  for (const [name, value] of result.headers) response.setHeader(name, value);
  if (result.body.kind === "complete") {
    response.end(result.body.string);
    return;
  }
  for await (const chunk of result.body.asyncIterator) response.write(chunk);
  response.end();
}

async function sayFigures({ figures }: GatewayRoutes, response: ServerResponse): Promise<void> {
  if (figures === undefined) return reply(response, 404, errorBody("NOT_FOUND", "There is nothing here."));
  response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(figuresText(figures()));
}

/** Tells in a Server-Timing header how long the request's steps took. For development: it shows our insides. */
async function withTiming<T>(execute: () => Promise<T>, response: ServerResponse): Promise<T> {
  const from = performance.now();
  const { value, steps } = await collectSteps(execute);
  response.setHeader(
    "server-timing",
    serverTiming([...steps, { name: "region", ms: performance.now() - from }]),
  );
  return value;
}

type Verifier = Pick<GatewayRoutes, "keys" | "clock" | "inbound">;

/** The verified identity, or null after having answered 401. */
async function authenticate(
  { keys, clock }: Verifier,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<GatewayContext | null> {
  const header = request.headers[IDENTITY_HEADER];
  const token = typeof header === "string" ? header : undefined;
  const identity = await verifyIdentity(token, keys, clock.now());
  if (identity.ok && token !== undefined) return { identity: identity.value, identityToken: token };
  reply(
    response,
    401,
    errorBody("UNAUTHENTICATED", "Requests reach a region through the edge, which signs for them."),
  );
  return null;
}

/** Whose an API key is, by its SHA-256: asked by the edge, which knows the key. */
async function serveApiKey(
  routes: GatewayRoutes,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const header = request.headers[IDENTITY_HEADER];
  const token = typeof header === "string" ? header : undefined;
  if (!(await verifyKeyLookup(token, routes.keys, routes.clock.now()))) {
    return reply(response, 401, errorBody("UNAUTHENTICATED", "Only the edge may ask for keys."));
  }
  const hash = url.pathname.slice("/internal/api-keys/".length);
  const shard = Number(url.searchParams.get("shard"));
  if (!/^[0-9a-f]{64}$/.test(hash) || !Number.isInteger(shard) || shard < 0 || shard > 255) {
    return reply(
      response,
      400,
      errorBody("BAD_REQUEST", "Give the key's SHA-256 in lower-case hex, and its shard."),
    );
  }
  const owner = await routes.merchants.findApiKey(homeFor(routes.regionNumber, shard), hash);
  if (owner === null) return reply(response, 404, errorBody("UNKNOWN_KEY", "There is no such key."));
  reply(response, 200, owner);
}

/** A provider's message, as bytes: whoever believes it first checks the provider's signature over exactly these. */
async function serveInbound(
  { inbound, keys, clock }: Verifier,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const address = inboundAddress(path);
  if (inbound === undefined || address === null)
    return reply(response, 404, errorBody("NOT_FOUND", "There is nothing here."));
  if (request.method !== "POST") return reply(response, 405, errorBody("METHOD_NOT_ALLOWED", "Use POST."));
  const body = await readBytes(request, response, MAX_INBOUND_BYTES);
  if (body === undefined) return;
  const headers = inboundHeaders(request.headers, address.endpoint);
  if (!(await isFromEdge(headers[IDENTITY_HEADER], { path, body }, keys, clock.now())))
    return reply(response, 401, errorBody("UNAUTHENTICATED", "Messages reach a region through the edge."));
  const answer = await inbound.receive(address.provider, headers, body);
  const type = answer.contentType ?? "text/plain";
  response.writeHead(answer.status, {
    "content-type": `${type}; charset=utf-8`,
    [ANSWERED_HEADER]: "answered",
  });
  response.end(answer.body);
}

/** A subgraph started apart: it verifies the edge's word itself and answers the gateway's queries. */
export function subgraphHandler(subgraph: Subgraph, verifier: Verifier, log: Logger): Handler {
  return guarded(log, async (request, response) => {
    if (request.url === "/healthz") return reply(response, 200, { status: "up" });
    if (request.url?.startsWith("/webhooks/")) return serveInbound(verifier, request.url, request, response);
    if (request.url !== "/graphql" || request.method !== "POST") {
      return reply(response, 404, errorBody("NOT_FOUND", "There is nothing here."));
    }
    const context = await authenticate(verifier, request, response);
    if (context === null) return;
    const body = await readJson(request, response);
    if (body === undefined) return;
    const { query, variables, operationName } = body as Record<string, unknown>;
    const { identity }: RequestContext = context;
    const result = await subgraph.run(
      {
        query: String(query),
        variables: variables as Record<string, unknown> | undefined,
        operationName: operationName as string | undefined,
      },
      { identity },
    );
    reply(response, 200, result);
  });
}

const guarded =
  (log: Logger, handler: Handler): Handler =>
  async (request, response) => {
    try {
      await handler(request, response);
    } catch (error) {
      log.error({ err: error, path: request.url }, "a request failed through our fault");
      if (!response.headersSent)
        reply(response, 503, errorBody("UNAVAILABLE", "The region cannot serve this now."));
      else response.destroy();
    }
  };

/** Listens, and can be ended: no new requests, and those under way get `drainMs` to finish. */
export async function listen(
  handler: Handler,
  address: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number; close(drainMs: number): Promise<void> }> {
  const server: Server = createServer(
    { keepAliveTimeout: 60_000 },
    (request, response) => void handler(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : address.port,
    async close(drainMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
