import { readFileSync } from "node:fs";
import { ApolloGateway, type GraphQLDataSource, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginLandingPageDisabled } from "@apollo/server/plugin/disabled";
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import type { Logger } from "pino";
import { SUPERGRAPH, type SubgraphName } from "../schema/compose.ts";
import type { RequestContext } from "../subgraphs/api/context.ts";
import type { Subgraph } from "../subgraphs/api/subgraph.ts";
import { IDENTITY_HEADER, REQUEST_ID_HEADER } from "../subgraphs/kernel/identity.ts";
import { depthLimit } from "./query-limits.ts";

/** The identity as it was verified, and the signed word itself to hand on to subgraphs elsewhere. */
export type GatewayContext = RequestContext & { readonly identityToken: string };

export type SubgraphLocation =
  | { readonly kind: "in_process"; readonly subgraphs: ReadonlyMap<string, Subgraph> }
  | { readonly kind: "http"; readonly urls: Readonly<Record<SubgraphName, string>> };

/** Runs a subgraph in this process: its parsed documents are cached, nothing is serialized. */
class InProcessDataSource implements GraphQLDataSource<GatewayContext> {
  readonly #subgraph: Subgraph;
  constructor(subgraph: Subgraph) {
    this.#subgraph = subgraph;
  }
  async process({ request, context }: Parameters<GraphQLDataSource<GatewayContext>["process"]>[0]) {
    const { query, variables, operationName } = request;
    // A context of its own for each execution, so that loaders do not outlive it.
    const { identity } = context as GatewayContext;
    return (await this.#subgraph.run(
      { query: query ?? "", variables, operationName },
      { identity },
    )) as never;
  }
}

/** Asks a subgraph that was started apart. The edge's word goes along; the subgraph verifies it again. */
class HttpDataSource extends RemoteGraphQLDataSource<GatewayContext> {
  override willSendRequest({
    request,
    context,
  }: Parameters<NonNullable<RemoteGraphQLDataSource<GatewayContext>["willSendRequest"]>>[0]) {
    const { identityToken, identity } = context as GatewayContext;
    // Absent while the gateway starts, which makes no requests of its own over a committed supergraph.
    if (identityToken === undefined) return;
    request.http?.headers.set(IDENTITY_HEADER, identityToken);
    request.http?.headers.set(REQUEST_ID_HEADER, identity.requestId);
  }
}

/** A document may be this deep: a connection of payments with journals and their transfers is 9. */
export const MAX_DEPTH = 15;
/** And this long, in tokens. */
const MAX_TOKENS = 4_000;

export async function createGateway(
  location: SubgraphLocation,
  log: Logger,
): Promise<ApolloServer<GatewayContext>> {
  const gateway = new ApolloGateway({
    supergraphSdl: readFileSync(SUPERGRAPH, "utf8"),
    buildService({ name }) {
      if (location.kind === "http") return new HttpDataSource({ url: location.urls[name as SubgraphName] });
      const subgraph = location.subgraphs.get(name);
      if (subgraph === undefined)
        throw new Error(`the supergraph names a subgraph that is not here: ${name}`);
      return new InProcessDataSource(subgraph);
    },
    logger: apolloLogger(log),
  });
  const server = new ApolloServer<GatewayContext>({
    gateway,
    introspection: true,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    plugins: [ApolloServerPluginLandingPageDisabled(), depthLimit(MAX_DEPTH)],
    logger: apolloLogger(log),
    formatError: (formatted, error) => presentError(formatted, error, log),
  });
  await server.start();
  return server;
}

/** What a client may be told. Everything else is our fault: logged in full, and shown as that and no more. */
const PUBLIC_CODES = new Set([
  "BAD_USER_INPUT",
  "FORBIDDEN",
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "OPERATION_RESOLUTION_FAILURE",
  "QUERY_TOO_DEEP",
  "BAD_REQUEST",
  "OVERLOADED",
  "UNAVAILABLE",
]);

export function presentError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
): GraphQLFormattedError {
  const code = formatted.extensions?.["code"];
  if (typeof code === "string" && PUBLIC_CODES.has(code)) {
    const { retryAfterMs } = formatted.extensions ?? {};
    return {
      message: formatted.message,
      ...(formatted.locations === undefined ? {} : { locations: formatted.locations }),
      ...(formatted.path === undefined ? {} : { path: formatted.path }),
      extensions: { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    };
  }
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  log.error({ err: cause, path: formatted.path }, "a request failed through our fault");
  return {
    message:
      "Something went wrong on our side. Repeat the request with the same idempotencyKey; quote the request id if it stays.",
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
    extensions: { code: "INTERNAL_SERVER_ERROR" },
  };
}

const apolloLogger = (log: Logger) => ({
  debug: () => {},
  info: (message?: string) => log.debug(message),
  warn: (message?: string) => log.warn(message),
  error: (message?: string) => log.error(message),
});
