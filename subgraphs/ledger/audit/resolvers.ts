import type { RequestContext } from "../../api/context.ts";
import { secretEntry } from "../../api/context.ts";
import { enumOf } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import type { MerchantId, PaymentId } from "../../kernel/ids.ts";
import { idFromUuid } from "../../kernel/ids.ts";
import type { VerifyingKeys } from "./keys.ts";
import type { NamedTransfer, Proofs } from "./proof.ts";

export type AuditDeps = {
  readonly paymentRows: (merchant: MerchantId, payment: PaymentId) => Promise<readonly NamedTransfer[]>;
  readonly proofs: Proofs;
  readonly keys: VerifyingKeys;
};

/** Proofs of a payment's transfers, and the keys that verify them. */
export function auditResolvers({ paymentRows, proofs, keys }: AuditDeps): {
  readonly Payment: ResolverMap[string];
  readonly Query: ResolverMap[string];
} {
  return {
    Payment: {
      auditProofs: async ({ id }: { id: PaymentId }, _: unknown, { identity }: RequestContext) => {
        const rows = await paymentRows(identity.merchant, id);
        return Promise.all(rows.map((named) => proofView(proofs, named)));
      },
    },
    Query: {
      auditKeys: secretEntry(() =>
        [...keys].map(([kid, key]) => ({
          id: kid,
          jwk: JSON.stringify({ ...key.export({ format: "jwk" }), kid, alg: "EdDSA", use: "sig" }),
        })),
      ),
    },
  };
}

async function proofView(proofs: Proofs, named: NamedTransfer) {
  const result = await proofs.proofOf(named);
  const transfer = idFromUuid("trf", named.row.id);
  return "proof" in result
    ? { transfer, status: "PROVEN", proof: JSON.stringify(result.proof) }
    : { transfer, status: enumOf(result.missing), proof: null };
}
