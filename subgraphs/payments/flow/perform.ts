import { invariant } from "../../kernel/result.ts";
import { timed } from "../../kernel/trace.ts";
import type { Attempts } from "../domain/attempts.ts";
import type { Claimed } from "../domain/claims.ts";
import type { Operation, ProviderAnswer } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { believable } from "../domain/records.ts";
import { type Observation, tellsOfProvider } from "../routing/router.ts";
import { factsOf } from "./attempt.ts";
import { authenticate } from "./authenticate.ts";
import type { PaymentDeps } from "./deps.ts";
import { type OperationOutcome, outcomeOf } from "./outcome.ts";
import { type RecordedNow, recordAnswer } from "./record.ts";

/**
 * The second half of every operation. Phases: 1 ask the provider (network) | 2 record, post, announce (commit 2); if the
 * attempt failed in a way that another provider may mend, commit 2 also claims the next attempt, and it begins again.
 * It starts after commit 1, so a crash anywhere before commit 2 leaves a claimed operation, which *is* unknown:
 * recover.ts asks. After commit 2 everything is there.
 */
export function perform(
  deps: PaymentDeps,
  claimed: Pick<Claimed, "payment" | "operation">,
  attempts: Attempts | null = null,
): Promise<OperationOutcome> {
  const { operation } = claimed;
  const work = sendAndRecord(deps, claimed, attempts);
  deps.live.set(operation.id, work);
  // Whoever awaits `work` sees its failure; this only tidies up.
  work.finally(() => deps.live.delete(operation.id)).catch(() => {});
  return work;
}

async function sendAndRecord(
  deps: PaymentDeps,
  claimed: Pick<Claimed, "payment" | "operation">,
  attempts: Attempts | null,
): Promise<OperationOutcome> {
  const { payment, operation } = claimed;
  const { crash, log } = deps;
  crash(`${operation.kind}.after-commit-1`);
  if (operation.kind === "authenticate") return goOnFrom(deps, await authenticate(deps, payment, operation));
  const answer = await timed("provider", () => ask(deps, payment, operation, attempts));
  crash(`${operation.kind}.after-provider`);
  if (answer.kind === "unknown") {
    const { because } = answer;
    log.warn({ operation: operation.id, payment: payment.id, because }, "outcome unknown: will ask");
    await inquireSoon(deps, payment, operation);
    return { kind: "pending", payment, operation };
  }
  if (answer.kind === "accepted") {
    await noteAccepted(deps, payment, operation, answer);
    return { kind: "pending", payment, operation };
  }
  crash(`${operation.kind}.before-commit-2`);
  const recorded = await timed("commit-2", () => recordAnswer(deps, payment, operation, answer, attempts));
  crash(`${operation.kind}.after-commit-2`);
  return goOnFrom(deps, recorded);
}

/** Sends the operation that was claimed with the end of another, or says how it ended. */
function goOnFrom(
  deps: PaymentDeps,
  { payment, operation, next, attempts }: RecordedNow,
): Promise<OperationOutcome> {
  return next === null
    ? Promise.resolve(outcomeOf(payment, operation))
    : sendAndRecord(deps, { payment, operation: next }, attempts);
}

/** Sends the operation's request, a new attempt's under the provider's breaker, and reads the answer. */
async function ask(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  attempts: Attempts | null,
): Promise<ProviderAnswer> {
  const { transport, providers, router, clock } = deps;
  const { provider, request, reference } = operation;
  invariant(request !== null, "an operation that is in flight has its request");
  const plain = transport.sendFor(provider, payment.merchant);
  const send = attempts === null ? plain : router.guarded(provider, plain);
  const begun = clock.now().getTime();
  const response = await send(request, reference);
  const read = providers.get(provider).answer(operation, payment, response, true);
  const answer = believable(read, operation);
  if (attempts !== null && tellsOfProvider(response)) {
    const latencyMs = clock.now().getTime() - begun;
    router.observe(provider, factsOf(payment, attempts), { outcome: OBSERVED[answer.kind], latencyMs });
  }
  return answer;
}

const OBSERVED: Record<ProviderAnswer["kind"], Observation["outcome"]> = {
  done: "succeeded",
  requires_action: "succeeded",
  accepted: "succeeded",
  declined: "declined",
  failed: "failed",
  unknown: "unknown",
};

/** How long a provider may take to tell what became of a request that it has accepted, before it is asked, in ms. */
const TELLS_WITHIN_MS = 20_000;

export function noteAccepted(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  answer: Extract<ProviderAnswer, { kind: "accepted" }>,
): Promise<void> {
  const { merchant, id } = payment;
  const { providerOperation } = answer;
  const subject = { merchant, payment: id, operation: operation.id };
  // If this is lost, the operation is asked for as any that is unknown, and accepted again.
  return deps.queue
    .markAccepted(subject, providerOperation, TELLS_WITHIN_MS)
    .catch((error: unknown) =>
      deps.log.warn({ err: error }, "the provider's word is not noted: it will be asked"),
    );
}

/** The provider's own records may lag a little behind its answers. */
const FIRST_INQUIRY_MS = 3_000;

async function inquireSoon(deps: PaymentDeps, payment: Payment, operation: Operation): Promise<void> {
  const { merchant, id } = payment;
  await deps.queue
    .inquireIn({ merchant, payment: id, operation: operation.id }, FIRST_INQUIRY_MS)
    .catch((error: unknown) => deps.log.warn({ err: error }, "the inquiry stays at its later time"));
}
