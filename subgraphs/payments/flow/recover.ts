import type { OperationId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { isLive } from "../domain/records.ts";
import type { LeasedOperation } from "../sql/recovery-queue.ts";
import { endWait } from "./authenticate.ts";
import type { PaymentDeps } from "./deps.ts";
import { expireOverdue } from "./expire.ts";
import { learn } from "./learn.ts";
import { noteAccepted } from "./perform.ts";
import { recordAnswer } from "./record.ts";

/**
 * Finds out what became of operations without a result, and of those that wait for the payer. Phases for each: 1 lease it
 * | 2 learn its outcome (learn.ts) | 3 record it (commit 2).
 *
 * It may crash or run twice anywhere: a look-up changes nothing, a replay carries the first request's key, and
 * only one commit finds the operation still claimed. "Not there" alone is never taken for "did not happen".
 */
export type Recovery = {
  start(): void;
  stop(): Promise<void>;
  /** One sweep: asks for every operation that is due; answers how many it settled. */
  sweep(): Promise<number>;
};

const SWEEP_EVERY_MS = 500;
const BATCH = 32;
/** Operations that one process asks for at the same time. */
const AT_ONCE = 128;
/** If whoever asks dies, the next one asks after this; an inquiry that takes longer is made twice, which does no harm. */
const LEASE_MS = 10_000;
const FORGET_EVERY_MS = 3_600_000;
const EXPIRE_EVERY_MS = 30_000;
/** Unresolved for longer than this is for a person: say so, loudly, at every inquiry. */
const NEEDS_A_PERSON_MS = 3_600_000;

export function createRecovery(deps: PaymentDeps): Recovery {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let tidying: Promise<unknown> | null = null;
  let stopped = false;
  let forgetAt = 0;
  let expireAt = 0;

  /** Under way. One that takes its time keeps no other waiting: a provider that hangs must not delay what others can tell. */
  const asking = new Map<OperationId, Promise<boolean>>();

  const lease = async (): Promise<Promise<boolean>[]> => {
    const room = Math.min(BATCH, AT_ONCE - asking.size);
    if (room <= 0) return [];
    const leased = await deps.queue.lease(room, LEASE_MS);
    return leased.map((one) => {
      // It has outlived its lease, and is still being asked for.
      const before = asking.get(one.operation);
      if (before !== undefined) return before;
      const inquiry = inquire(deps, one).finally(() => asking.delete(one.operation));
      asking.set(one.operation, inquiry);
      return inquiry;
    });
  };
  const sweep = async (): Promise<number> => (await Promise.all(await lease())).filter(Boolean).length;
  const housekeeping = async () => {
    const now = deps.clock.now().getTime();
    if (now >= expireAt) {
      expireAt = now + EXPIRE_EVERY_MS;
      await expireOverdue(deps, BATCH);
    }
    if (now >= forgetAt) {
      forgetAt = now + FORGET_EVERY_MS;
      await deps.queue.forgetOldKeys(1_000);
    }
  };
  const loop = async () => {
    let more = false;
    try {
      more = (await lease()).length === BATCH;
    } catch (error) {
      deps.log.warn({ err: error }, "recovery could not sweep: it will again");
    }
    // Beside the inquiries: it asks providers, too, and may have to wait for them.
    tidying ??= housekeeping()
      .catch((error: unknown) => deps.log.warn({ err: error }, "housekeeping failed: it will be done again"))
      .finally(() => {
        tidying = null;
      });
    if (!stopped)
      timer = setTimeout(
        () => {
          running = loop();
        },
        more ? 0 : SWEEP_EVERY_MS,
      );
  };

  return {
    sweep,
    start() {
      running = loop();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      await Promise.all([...asking.values(), tidying]);
    },
  };
}

async function inquire(deps: PaymentDeps, leased: LeasedOperation): Promise<boolean> {
  const { log } = deps;
  try {
    const stored = await deps.reads.operation(leased.merchant, leased.payment, leased.operation);
    invariant(stored !== null, "a leased operation exists");
    if (!isLive(stored.operation)) return true;
    const { payment, operation } = stored;
    return await settle(deps, payment, operation, leased.inquiries);
  } catch (error) {
    log.error({ operation: leased.operation, err: error }, "inquiry failed");
    await deps.queue.inquireIn(leased, nextInquiryMs(leased.inquiries)).catch(() => {});
    return false;
  }
}

/** Asks for an operation's outcome and records it; false if it stays as it is, and is asked for again later. */
export async function settle(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  inquiries: number,
): Promise<boolean> {
  const { log, queue, clock } = deps;
  const subject = { merchant: payment.merchant, payment: payment.id, operation: operation.id };
  if (operation.kind === "authenticate") {
    const ended = await endWait(deps, payment, operation);
    if (!ended) await queue.inquireIn(subject, WAITS_FOR_PAYER_MS);
    return ended;
  }
  if (operation.kind === "authorize") deps.duplicates?.claimed(payment);
  const answer = await learn(deps, payment, operation);
  const ageMs = clock.now().getTime() - operation.claimedAt.getTime();
  const about = { operation: operation.id, payment: payment.id, ageMs };
  switch (answer.kind) {
    case "unknown": {
      await queue.inquireIn(subject, nextInquiryMs(inquiries));
      const level = ageMs > NEEDS_A_PERSON_MS ? "error" : "warn";
      log[level]({ ...about, because: answer.because }, "still unknown");
      return false;
    }
    case "accepted":
      await noteAccepted(deps, payment, operation, answer);
      return false;
    case "requires_action":
      await recordAnswer(deps, payment, operation, answer);
      await queue.inquireIn(subject, WAITS_FOR_PAYER_MS);
      return false;
    default:
      await recordAnswer(deps, payment, operation, answer);
      log.info({ ...about, answer: answer.kind }, "outcome learnt");
      return true;
  }
}

/** How often an attempt that waits for the payer is asked for, in ms: the provider's own word may be lost. */
const WAITS_FOR_PAYER_MS = 20_000;

/** The longest pause between two inquiries, in ms, for as long as many of them; then it is a long outage. */
const PAUSES = { short: 7_000, forInquiries: 60, long: 15_000 } as const;

/**
 * 1, 2, 4, then about 7 s, and 15 s in a long outage: once the provider answers again, everything is learnt within 30 s, also
 * if it stumbles at first.
 */
function nextInquiryMs(inquiries: number): number {
  const most = inquiries <= PAUSES.forInquiries ? PAUSES.short : PAUSES.long;
  return Math.min(1_000 * 2 ** Math.min(inquiries - 1, 4), most) * (0.75 + Math.random() * 0.25);
}
