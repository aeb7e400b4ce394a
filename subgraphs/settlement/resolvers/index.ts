import { secretReference } from "../../api/context.ts";
import { scalars } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import type { MerchantId } from "../../kernel/ids.ts";
import type { SettlementReads } from "../sql/reads.ts";

/** Resolvers of the settlement subgraph: what a merchant is owed. */
export function settlementResolvers(reads: SettlementReads): ResolverMap {
  return {
    ...scalars,
    Merchant: {
      // Another merchant is not there.
      __resolveReference: secretReference(({ id }, { identity }) =>
        id === identity.merchant ? { id } : null,
      ),
      settlement: ({ id }: { id: MerchantId }) => reads.positions(id),
    },
  };
}
