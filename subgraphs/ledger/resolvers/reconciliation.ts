import { enumOf } from "../../api/scalars.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { differencesIn, type Reconcile } from "../reconcile/reconcile.ts";
import { CHECKS } from "../reconcile/report.ts";
import { badInput, notProjected, readInstant } from "./instants.ts";

export type ReconciliationArguments = { readonly from: string; readonly to: string };

const LONGEST_PERIOD_MS = 31 * 86_400_000;

/** The caller's own books over a bounded period. */
export async function reconciliationOf(
  reconcile: Reconcile,
  merchant: MerchantId,
  shard: number,
  args: ReconciliationArguments,
) {
  const [from, to] = [readInstant(args.from), readInstant(args.to)];
  if (from >= to) throw badInput("`from` is before `to`.");
  if (to.getTime() - from.getTime() > LONGEST_PERIOD_MS) throw badInput("A period is at most 31 days.");
  const result = await reconcile({ from, to, shards: [shard], merchant: uuidOf(merchant) });
  if (!result.ok) throw notProjected(result.error);
  const { readAt, findings } = result.value;
  return {
    from,
    to,
    readAt,
    checks: findings.map(({ check, examined, wrong }) => ({
      name: enumOf(check),
      proves: CHECKS[check],
      examined,
      differenceCount: wrong,
    })),
    differenceCount: differencesIn(result.value),
    differences: findings.flatMap(({ differences }) =>
      differences.map(({ check, subject, message }) => ({ check: enumOf(check), subject, message })),
    ),
  };
}
