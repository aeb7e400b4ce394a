import { folderStore } from "../../subgraphs/ledger/audit/folder-store.ts";
import { publicHalf } from "../../subgraphs/ledger/audit/keys.ts";
import { lineOf, verifyAudit } from "../../subgraphs/ledger/audit/verify.ts";
import { differencesIn, openReconciler } from "../../subgraphs/ledger/reconcile/reconcile.ts";
import type { Problems } from "./problems.ts";
import { AUDIT_KEY, SIGNING_KEY } from "./secrets.ts";

/** What `npm run ledger:reconcile` and `npm run audit:verify` say of the run's books. */
export async function verifyBooks(
  problems: Problems,
  { databaseUrl, auditStore }: { readonly databaseUrl: string; readonly auditStore: string },
): Promise<{ readonly reconciled: number; readonly audited: number }> {
  const reconciler = openReconciler({ url: databaseUrl, connections: 1, statementTimeoutMs: 600_000 });
  const all = { from: new Date("1970-01-01T00:00:00Z"), to: new Date("9999-12-31T00:00:00Z") };
  const result = await reconciler.reconcile(all);
  await reconciler.close();
  if (!result.ok) throw new Error("the books could not be compared");
  for (const { differences } of result.value.findings)
    for (const { check, subject, message } of differences)
      problems.add("ledger:reconcile", `${check} ${subject} ${message}`);
  if (differencesIn(result.value) > 0 && !problems.all.some(({ check }) => check === "ledger:reconcile"))
    problems.add("ledger:reconcile", `${differencesIn(result.value)} differences`);
  const verdict = await verifyAudit({
    databaseUrl,
    store: folderStore(auditStore),
    auditKey: AUDIT_KEY,
    keys: publicHalf(SIGNING_KEY),
  });
  for (const finding of verdict.findings) problems.add("audit:verify", lineOf(finding));
  const reconciled = result.value.findings.reduce((sum, { examined }) => sum + examined, 0);
  return { reconciled, audited: verdict.rows };
}
