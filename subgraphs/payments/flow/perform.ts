import { invariant } from "../../kernel/result.ts";
import { timed } from "../../kernel/trace.ts";
import type { Claimed } from "../domain/claims.ts";
import { asksForCvc, type Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { believable, type DefiniteAnswer, record } from "../domain/records.ts";
import type { PaymentDeps } from "./deps.ts";
import { type OperationOutcome, outcomeOf } from "./outcome.ts";

/**
 * The second half of every operation. Phases: 1 ask the provider (network) | 2 record, post, announce (commit 2).
 * It starts after commit 1, so a crash anywhere before commit 2 leaves a claimed operation, which *is* unknown:
 * recover.ts asks. After commit 2 everything is there.
 */
export function perform(deps: PaymentDeps, claimed: Claimed): Promise<OperationOutcome> {
  const { operation } = claimed;
  const work = sendAndRecord(deps, claimed);
  deps.live.set(operation.id, work);
  // Whoever awaits `work` sees its failure; this only tidies up.
  work.finally(() => deps.live.delete(operation.id)).catch(() => {});
  return work;
}

async function sendAndRecord(deps: PaymentDeps, { payment, operation }: Claimed): Promise<OperationOutcome> {
  const { connector, transport, crash, log } = deps;
  crash(`${operation.kind}.after-commit-1`);
  const send = transport.sendFor(payment.merchant);
  const response = await timed("provider", () => send(operation.request, operation.reference));
  crash(`${operation.kind}.after-provider`);
  const answer = believable(connector.answer(operation, payment, response, true), operation);
  if (answer.kind === "unknown") {
    log.warn(
      { operation: operation.id, payment: payment.id, because: answer.because },
      "outcome unknown: will ask",
    );
    await inquireSoon(deps, payment, operation);
    return { kind: "pending", payment, operation };
  }
  crash(`${operation.kind}.before-commit-2`);
  const outcome = await timed("commit-2", () => recordAnswer(deps, payment, operation, answer));
  crash(`${operation.kind}.after-commit-2`);
  return outcome;
}

/** When recovery may take an operation claimed at `at` for abandoned: its own flow must have given up by then. */
export function recoverAfter({ providerDeadlineMs }: PaymentDeps, at: Date): Date {
  return new Date(at.getTime() + providerDeadlineMs + Math.min(providerDeadlineMs, 5_000));
}

/** The provider's own records may lag a little behind its answers. */
const FIRST_INQUIRY_MS = 3_000;

async function inquireSoon(deps: PaymentDeps, payment: Payment, operation: Operation): Promise<void> {
  const { merchant, id } = payment;
  await deps.queue
    .inquireIn({ merchant, payment: id, operation: operation.id }, FIRST_INQUIRY_MS)
    .catch((error: unknown) => deps.log.warn({ err: error }, "the inquiry stays at its later time"));
}

/** Two operations of one payment may be recorded at once; the loser reads again and computes anew. */
const RACES = 100;

/**
 * Commit 2: the provider's definite answer becomes state, transfers and events, once. If another process has
 * recorded the operation meanwhile, its outcome is the answer.
 */
export async function recordAnswer(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
): Promise<OperationOutcome> {
  let current = { payment, operation };
  for (let race = 1; race <= RACES; race++) {
    if (current.operation.state !== "claimed") return outcomeOf(current.payment, current.operation);
    const recorded = await recordOnce(deps, current.payment, current.operation, answer);
    if (recorded !== null) {
      forgetCvc(deps, recorded.payment, recorded.operation);
      return outcomeOf(recorded.payment, recorded.operation);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(race * 2, 50)));
    const reread = await deps.reads.operation(payment.merchant, payment.id, operation.id);
    invariant(reread !== null, "a claimed operation does not vanish");
    current = reread;
  }
  throw new Error(`operation ${operation.id} could not be recorded: its payment keeps moving`);
}

async function recordOnce(deps: PaymentDeps, payment: Payment, operation: Operation, answer: DefiniteAnswer) {
  const { merchants, reads, clock, commit } = deps;
  const profile = await merchants.profile(payment.merchant);
  invariant(profile !== null, "a payment's merchant exists");
  const session =
    operation.kind === "authorize" && payment.checkoutSession !== null
      ? await reads.session(payment.merchant, payment.checkoutSession)
      : null;
  const at = clock.now();
  const recorded = record(payment, operation, answer, { prices: profile.prices, session }, at);
  if (!recorded.ok)
    throw new Error(`operation ${operation.id}: ${JSON.stringify(recorded.error, bigintText)}`);
  const result = await commit(recorded.value.commit);
  switch (result.outcome) {
    case "applied":
    case "replayed":
      return recorded.value;
    case "guard_failed":
      return null;
    default:
      throw new Error(`invariant broken: recording an operation was answered ${JSON.stringify(result)}`);
  }
}

const bigintText = (_: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);

function forgetCvc(deps: PaymentDeps, payment: Payment, operation: Operation): void {
  if (operation.kind !== "authorize" || !asksForCvc(operation.request)) return;
  deps.forgetter.forget(payment.merchant, payment.card.token);
}
