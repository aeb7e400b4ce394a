import type { RowGroup } from "../row.ts";
import { cacheTiers } from "./cache.ts";
import { commitLatency } from "./commit-latency.ts";
import { graph } from "./graph.ts";
import { ledgerPost } from "./ledger-post.ts";
import { ledgerSize } from "./ledger-size.ts";
import { overload } from "./overload.ts";
import { paymentCore } from "./payment-core.ts";
import { paymentDb } from "./payment-db.ts";
import { paymentPlatform } from "./payment-platform.ts";
import { routing } from "./routing.ts";
import { tpcb } from "./tpcb.ts";
import { vaultEgress } from "./vault-egress.ts";

/** Everything that is measured, in the order of the report. The first group is the baseline. */
export const rowGroups: readonly RowGroup[] = [
  tpcb,
  ledgerPost,
  commitLatency,
  ledgerSize,
  paymentDb,
  routing,
  cacheTiers,
  graph,
  vaultEgress,
  paymentCore,
  paymentPlatform,
  overload,
];

/** A group's rows, with what is derived from them. */
export const namesOf = ({ names, derived = [] }: RowGroup): readonly string[] => [
  ...names,
  ...derived.map(({ name }) => name),
];

/** Of a group's rows those that must be measured to give `selected`: a derived row needs what it is made from. */
export function neededRows(
  { names, derived = [] }: RowGroup,
  selected: ReadonlySet<string>,
  always: readonly string[] = [],
): readonly string[] {
  const needed = new Set([...always, ...names.filter((name) => selected.has(name))]);
  for (const { name, from } of derived) if (selected.has(name)) for (const source of from) needed.add(source);
  return names.filter((name) => needed.has(name));
}
