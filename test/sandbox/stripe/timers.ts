/**
 * What happens at the provider by itself, later: refunds that change their status, payments that were
 * `processing` and are decided. The due time is in the record, so that a restart forgets none of it.
 */

import { charge } from "./charging.ts";
import { fail, succeed } from "./refunds.ts";
import type { Work } from "./store.ts";

type Decision = { readonly atMs: number; readonly idempotencyKey: string | null };

export type Timers = {
  /** Looks at records that a unit of work has changed, and waits for those with a decision to come. */
  readonly watch: (work: Work) => void;
  readonly watchAll: () => void;
  readonly stop: () => void;
};

/**
 * `decide` runs a change in a unit of work that bears the given idempotency key, and applies it.
 */
export function startTimers(
  store: Work["store"],
  now: () => number,
  decide: (idempotencyKey: string | null, change: (work: Work) => void) => void,
): Timers {
  const waiting = new Map<string, NodeJS.Timeout>();

  const wait = (id: string, decision: Decision | null, change: (work: Work) => void): void => {
    if (decision === null || waiting.has(id)) return;
    const timer = setTimeout(
      () => {
        waiting.delete(id);
        decide(decision.idempotencyKey, change);
      },
      Math.max(0, decision.atMs - now()),
    );
    waiting.set(id, timer);
  };

  return {
    watch(work) {
      const { refunds = [], paymentIntents = [] } = work.staged();
      for (const refund of refunds) wait(refund.id, refund.decision, (late) => decideRefund(late, refund.id));
      for (const intent of paymentIntents) {
        wait(intent.id, intent.decision, (late) => decidePayment(late, intent.id));
      }
    },
    watchAll() {
      for (const { id, decision } of store.refunds.values())
        wait(id, decision, (late) => decideRefund(late, id));
      for (const { id, decision } of store.paymentIntents.values()) {
        wait(id, decision, (late) => decidePayment(late, id));
      }
    },
    stop() {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}

function decideRefund(work: Work, id: string): void {
  const refund = work.get("refunds", id);
  const owner = work.get("charges", refund.charge);
  const decided = { ...refund, decision: null };
  if (refund.status === "pending") succeed(work, decided, owner);
  else if (refund.status === "succeeded") fail(work, decided, owner);
}

function decidePayment(work: Work, id: string): void {
  const intent = work.get("paymentIntents", id);
  if (intent.status !== "processing" || intent.paymentMethod === null) return;
  charge(work, { ...intent, decision: null }, work.get("paymentMethods", intent.paymentMethod));
}
