import { invariant } from "../../kernel/result.ts";
import type { Attempts } from "../domain/attempts.ts";
import { asksForCvc, type Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import {
  type DefiniteAnswer,
  isLive,
  type NextAttempt,
  type RecordContext,
  type Recorded,
  record,
} from "../domain/records.ts";
import { type Following, following } from "./attempt.ts";
import type { PaymentDeps } from "./deps.ts";

/** Two operations of one payment may be recorded at once; the loser reads again and computes anew. */
const RACES = 100;

/** What commit 2 left: the payment, the operation that has ended, and the next attempt if one was claimed with it. */
export type RecordedNow = Pick<Recorded, "payment" | "operation" | "next"> & {
  /** What the attempts from now on need; null if there are none. */
  readonly attempts: Attempts | null;
};

/**
 * Commit 2: the provider's definite answer becomes state, transfers and events, once. If another process has
 * recorded the operation meanwhile, its outcome is the answer.
 */
export async function recordAnswer(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
  attempts: Attempts | null = null,
): Promise<RecordedNow> {
  let current = { payment, operation };
  for (let race = 1; race <= RACES; race++) {
    if (!isLive(current.operation)) return { ...current, next: null, attempts };
    // It waits for the payer already: the same news again changes nothing.
    if (answer.kind === "requires_action" && current.operation.state === "requires_action")
      return { ...current, next: null, attempts };
    const recorded = await recordOnce(deps, current.payment, current.operation, answer, attempts);
    if (recorded !== null) {
      if (answer.kind !== "requires_action" && recorded.next === null)
        forgetCvc(deps, recorded.payment, current.operation);
      return recorded;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(race * 2, 50)));
    const reread = await deps.reads.operation(payment.merchant, payment.id, operation.id);
    invariant(reread !== null, "a claimed operation does not vanish");
    current = reread;
  }
  throw new Error(`operation ${operation.id} could not be recorded: its payment keeps moving`);
}

/** How long a payer may take for what an attempt waits for, in ms, before the provider is asked. */
const PAYER_TAKES_MS = 20_000;

async function recordOnce(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
  attempts: Attempts | null,
): Promise<RecordedNow | null> {
  const { commit, clock } = deps;
  const next: Following | null =
    attempts === null ? null : await following(deps, attempts, payment, operation, answer);
  const context = await recordContext(deps, payment, operation, next);
  const at = clock.now();
  const recorded = record(payment, operation, answer, context, at);
  if (!recorded.ok)
    throw new Error(`operation ${operation.id}: ${JSON.stringify(recorded.error, bigintText)}`);
  const result = await commit(recorded.value.commit);
  switch (result.outcome) {
    case "applied":
    case "replayed":
      return { ...recorded.value, attempts: next?.attempts ?? attempts };
    case "guard_failed":
      return null;
    default:
      throw new Error(`invariant broken: recording an operation was answered ${JSON.stringify(result)}`);
  }
}

/** What recording needs to know besides payment, operation and answer. */
async function recordContext(
  { merchants, reads, providers, clock }: PaymentDeps,
  payment: Payment,
  operation: Operation,
  next: NextAttempt | null,
): Promise<RecordContext> {
  const { merchant, terms } = payment;
  const profile = await merchants.profile(merchant);
  invariant(profile !== null, "a payment's merchant exists");
  const opens = operation.kind === "authorize" || operation.kind === "authenticate";
  const session =
    opens && terms.checkoutSession !== null ? await reads.session(merchant, terms.checkoutSession) : null;
  const stores =
    operation.kind === "authorize" && terms.stored?.first === true && terms.paymentMethod !== null
      ? await reads.method(merchant, terms.paymentMethod)
      : null;
  const overCaptureBps =
    operation.kind === "authenticate" ? {} : providers.get(operation.provider).capabilities.overCaptureBps;
  return {
    prices: profile.prices,
    session,
    overCaptureBps: overCaptureBps[terms.card.brand] ?? 0,
    next,
    stores,
    askAfter: new Date(clock.now().getTime() + PAYER_TAKES_MS),
  };
}

const bigintText = (_: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);

function forgetCvc(deps: PaymentDeps, payment: Payment, operation: Operation): void {
  // An authentication that ends the payment ends what the security code was kept for.
  const opens = operation.kind === "authenticate" || operation.kind === "authorize";
  if (!opens || (operation.kind === "authorize" && !asksForCvc(operation.request))) return;
  deps.forgetter.forget(payment.merchant, payment.terms.card.token);
}
