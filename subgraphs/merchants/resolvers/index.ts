import { type RequestContext, secretEntry, secretReference } from "../../api/context.ts";
import { scalars } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import type { MerchantId } from "../../kernel/ids.ts";
import type { Merchants } from "../profile.ts";

/** Resolvers of the merchants subgraph. */
export function merchantResolvers(merchants: Merchants): ResolverMap {
  const own = async ({ identity }: RequestContext) => {
    const profile = await merchants.profile(identity.merchant);
    return profile === null ? null : { __typename: "Merchant", ...profile };
  };
  return {
    ...scalars,
    Node: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
    Query: { viewer: secretEntry((_, __, context) => own(context)) },
    Merchant: {
      // Another merchant is not there.
      __resolveReference: secretReference(({ id }, context) =>
        (id as MerchantId) === context.identity.merchant ? own(context) : null,
      ),
    },
  };
}
