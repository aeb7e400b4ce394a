import { invariant } from "../../kernel/result.ts";
import { declineOf } from "../domain/decline.ts";
import { asksForCvc, type Operation, type ProviderAnswer } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { believable } from "../domain/records.ts";
import type { LeasedOperation } from "../sql/recovery-queue.ts";
import type { PaymentDeps } from "./deps.ts";
import { expireOverdue } from "./expire.ts";
import { recordAnswer } from "./perform.ts";

/**
 * Finds out what became of operations without a result. Phases for each: 1 lease it | 2 look it up at the provider
 * | 3 if it is not there: replay the identical request, while the provider still knows its key; else wait until
 * no request of ours can land any more | 4 record the answer (commit 2).
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
const LEASE_MS = 60_000;
const FORGET_EVERY_MS = 3_600_000;
const EXPIRE_EVERY_MS = 30_000;
/** Unresolved for longer than this is for a person: say so, loudly, at every inquiry. */
const NEEDS_A_PERSON_MS = 3_600_000;

export function createRecovery(deps: PaymentDeps): Recovery {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;
  let forgetAt = 0;
  let expireAt = 0;

  const sweep = async (): Promise<number> => {
    const leased = await deps.queue.lease(BATCH, LEASE_MS);
    const settled = await Promise.all(leased.map((operation) => inquire(deps, operation)));
    return settled.filter(Boolean).length;
  };
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
    try {
      await sweep();
      await housekeeping();
    } catch (error) {
      deps.log.warn({ err: error }, "recovery could not sweep: it will again");
    }
    if (!stopped)
      timer = setTimeout(() => {
        running = loop();
      }, SWEEP_EVERY_MS);
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
    },
  };
}

async function inquire(deps: PaymentDeps, leased: LeasedOperation): Promise<boolean> {
  const { log } = deps;
  try {
    const stored = await deps.reads.operation(leased.merchant, leased.payment, leased.operation);
    invariant(stored !== null, "a leased operation exists");
    if (stored.operation.state !== "claimed") return true;
    const { payment, operation } = stored;
    const answer = await learn(deps, payment, operation);
    if (answer.kind === "unknown") {
      await deps.queue.inquireIn(leased, nextInquiryMs(leased.inquiries));
      const ageMs = deps.clock.now().getTime() - operation.claimedAt.getTime();
      const level = ageMs > NEEDS_A_PERSON_MS ? "error" : "warn";
      log[level](
        { operation: operation.id, payment: payment.id, ageMs, because: answer.because },
        "still unknown",
      );
      return false;
    }
    await recordAnswer(deps, payment, operation, answer);
    log.info({ operation: operation.id, payment: payment.id, answer: answer.kind }, "outcome learnt");
    return true;
  } catch (error) {
    log.error({ operation: leased.operation, err: error }, "inquiry failed");
    await deps.queue.inquireIn(leased, nextInquiryMs(leased.inquiries)).catch(() => {});
    return false;
  }
}

/** 1, 2, 4, 8, then about 15 s: once the provider answers again, everything is learnt within 30 s. */
function nextInquiryMs(inquiries: number): number {
  return Math.min(1_000 * 2 ** Math.min(inquiries - 1, 4), 15_000) * (0.75 + Math.random() * 0.25);
}

/** What the provider did, or `unknown` if that cannot be told yet. */
export async function learn(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
): Promise<ProviderAnswer> {
  const { connector, transport, clock, queue } = deps;
  const send = transport.sendFor(payment.merchant);
  const seen = connector.found(
    operation,
    payment,
    await send(connector.lookup(operation, payment), operation.reference),
  );
  if (seen.kind !== "absent") return believable(seen, operation);

  const now = clock.now().getTime();
  const keyIsKnown = now - operation.claimedAt.getTime() < connector.idempotencyWindowMs;
  if (keyIsKnown && (await canBeSentAgain(deps, payment, operation))) {
    await queue.markSent({ merchant: payment.merchant, payment: payment.id, operation: operation.id });
    const response = await send(operation.request, operation.reference);
    return believable(connector.answer(operation, payment, response, false), operation);
  }
  if (now - operation.lastSentAt.getTime() > connector.maxRequestLifetimeMs) {
    return { kind: "failed", decline: declineOf("not_at_provider") };
  }
  return { kind: "unknown", because: "the provider does not know it yet" };
}

/** A replay must be identical: with a card that is gone, or a security code that is forgotten, it cannot be. */
async function canBeSentAgain(deps: PaymentDeps, payment: Payment, operation: Operation): Promise<boolean> {
  const { request, reference } = operation;
  if (request.token === null) return true;
  const described = await deps.vault.describe(payment.merchant, request.token, reference);
  return described.ok && (described.value.cvcAvailable || !asksForCvc(request));
}
