import DataLoader from "dataloader";
import { type RequestContext, secretReference } from "../../api/context.ts";
import { enumOf } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import { type PaymentId, parseId } from "../../kernel/ids.ts";
import type { AssessmentRecord, RiskReads } from "../sql/reads.ts";

/** Resolvers of the risk subgraph: what was decided about a payment, and why. */
export function riskResolvers(reads: RiskReads): ResolverMap {
  const loaders = new WeakMap<RequestContext, DataLoader<PaymentId, AssessmentRecord | null>>();
  const loaderOf = (context: RequestContext) => {
    const loader =
      loaders.get(context) ??
      new DataLoader<PaymentId, AssessmentRecord | null>(async (payments) => {
        const found = await reads.assessments(context.identity.merchant, payments);
        return payments.map((payment) => found.get(payment) ?? null);
      });
    loaders.set(context, loader);
    return loader;
  };
  return {
    Payment: {
      __resolveReference: secretReference(({ id }) => (parseId("pay", id).ok ? { id } : null)),
      risk: async ({ id }: { id: PaymentId }, _: unknown, context: RequestContext) => {
        const assessment = await loaderOf(context).load(id);
        return assessment === null ? null : assessmentView(assessment);
      },
    },
  };
}

const assessmentView = ({ decision, reasons, ...rest }: AssessmentRecord) => ({
  ...rest,
  decision: enumOf(decision),
  reasons: reasons.map(({ rule, ...reason }) => ({ ...reason, rule: enumOf(rule) })),
});
