import { GraphQLError } from "graphql";
import type { Identity, KeyScope } from "../kernel/identity.ts";

/** What every resolver gets: who asks, as the edge signed it and the server verified it. */
export type RequestContext = { readonly identity: Identity };

// A resolver's parent and arguments are what the schema says: checked there, not here.
// oxlint-disable-next-line typescript/no-explicit-any
export type Resolver = (parent: any, args: any, context: RequestContext) => unknown;
type ReferenceResolver = (reference: { readonly id: string }, context: RequestContext) => unknown;

const ACCESS = Symbol("access");
type Tagged = { [ACCESS]?: true };

/** An entry point that any valid key may use: what it shows must be fit for a browser. */
export function publicEntry(resolve: Resolver): Resolver {
  return tag((parent, args, context) => resolve(parent, args, context));
}

/** An entry point for secret keys only. */
export function secretEntry(resolve: Resolver): Resolver {
  return tag((parent, args, context) => {
    requireScope(context, "secret");
    return resolve(parent, args, context);
  });
}

/** How another subgraph's field reaches an entity here: for secret keys only. */
export function secretReference(resolve: ReferenceResolver): ReferenceResolver {
  return tag((reference, context) => {
    requireScope(context, "secret");
    return resolve(reference, context);
  });
}

/** Throws FORBIDDEN unless the caller's key has `scope`. */
export function requireScope({ identity }: RequestContext, scope: KeyScope): void {
  if (identity.scope === scope) return;
  throw new GraphQLError(
    `This needs a ${scope} key (sk_…), used from your server. A publishable key can only read and confirm a checkout session.`,
    { extensions: { code: "FORBIDDEN" } },
  );
}

function tag<T extends object>(resolve: T): T {
  (resolve as Tagged)[ACCESS] = true;
  return resolve;
}

export const isTagged = (resolve: unknown): boolean =>
  typeof resolve === "function" && (resolve as Tagged)[ACCESS] === true;

/** The service is up but cannot take this now; the caller may repeat it with the same idempotency key. */
export function unavailable(
  message: string,
  code: "UNAVAILABLE" | "OVERLOADED" = "UNAVAILABLE",
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, retryAfterMs: 1_000 } });
}
