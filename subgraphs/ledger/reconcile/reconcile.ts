import type { Sql } from "postgres";
import { connectAs, type DatabaseUrl } from "../../database/pool.ts";
import { ok, type Result } from "../../kernel/result.ts";
import type { NotProjected } from "../sql/statements.ts";
import { balances, journals, pending } from "./books.ts";
import { events, references } from "./events.ts";
import { payments, refunds } from "./payments.ts";
import { type Check, type Finding, runCheck } from "./report.ts";
import { type Period, readScope } from "./scope.ts";

export type { Period } from "./scope.ts";

/** What was compared as of one instant, and what does not agree. Nothing of it is repaired. */
export type Reconciliation = {
  readonly period: Period;
  /** The snapshot that everything was read in. */
  readonly readAt: Date;
  readonly durationMs: number;
  /** In the order of `CHECKS`. */
  readonly findings: readonly Finding[];
};

export type Reconcile = (period: Period) => Promise<Result<Reconciliation, NotProjected>>;

export type Reconciler = { readonly reconcile: Reconcile; close(): Promise<void> };

const PARTS: readonly Check[] = [journals, balances, pending, payments, refunds, events, references];

/** A reconciler over a role that can read what it compares and write nothing. */
export function openReconciler(options: {
  readonly url: DatabaseUrl;
  readonly connections: number;
  readonly statementTimeoutMs: number;
}): Reconciler {
  const { url, connections, statementTimeoutMs } = options;
  const sql = connectAs("tessera_reconciler", url, {
    connections,
    statementTimeoutMs,
    // A period may be all there is or one hour: each is planned for what it is.
    settings: { plan_cache_mode: "force_custom_plan", work_mem: "64MB", jit: "off" },
  });
  return {
    reconcile: (period) => reconcileLedger(sql, period),
    close: () => sql.end({ timeout: 2 }),
  };
}

/**
 * Compares the ledger with itself, with the payments and with the outbox, over a period and in one snapshot: see
 * {@link CHECKS}. A payment is compared as a whole, as it stands now, if it changed in the period; what is pending
 * likewise. Of a period that has ended, accounts are compared with their statements; of one that goes on, also with
 * the kept balances.
 *
 * @returns NOT_PROJECTED if the period has ended and statements do not go as far yet
 */
async function reconcileLedger(sql: Sql, period: Period): Promise<Result<Reconciliation, NotProjected>> {
  const started = performance.now();
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    const [now] = await tx<{ at: Date }[]>`select now() as at`;
    const scope = await readScope(tx, period);
    if (!scope.ok) return scope;
    // A merchant's rows are few among many, and all are reached by key.
    if (scope.value.merchant !== null) await tx`set local enable_seqscan = off`;
    const findings: Finding[] = [];
    for (const check of PARTS) findings.push(...(await runCheck(tx, scope.value, check)));
    const durationMs = performance.now() - started;
    return ok({ period, readAt: now?.at as Date, durationMs, findings });
  }) as Promise<Result<Reconciliation, NotProjected>>;
}

/** How many things do not agree, listed or not. */
export const differencesIn = ({ findings }: Reconciliation): number =>
  findings.reduce((sum, { wrong }) => sum + wrong, 0);
