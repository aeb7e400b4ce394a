import { invariant } from "../../kernel/result.ts";
import { timed } from "../../kernel/trace.ts";
import {
  type Attempts,
  type AuthenticationUnderWay,
  decodeUnderWay,
  encodeUnderWay,
} from "../domain/attempts.ts";
import type { Authentication } from "../domain/authentication.ts";
import { declineOf } from "../domain/decline.ts";
import type { AnswerDetails, Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { type DefiniteAnswer, isLive, recordAuthentication } from "../domain/records.ts";
import { windowSizeFor } from "../domain/three-ds/challenge.ts";
import { type Conclusion, detailsOf } from "../domain/three-ds/conclusion.ts";
import { afterAuthentication } from "../domain/three-ds/policy.ts";
import { advance, type Session } from "../domain/three-ds/session.ts";
import { newAttempt } from "./attempt.ts";
import type { PaymentDeps } from "./deps.ts";
import { type RecordedNow, recordAnswer } from "./record.ts";
import { recoverAfter } from "./recover-after.ts";
import type { ThreeDs } from "./three-ds.ts";

/**
 * 3-D Secure before an authorization. Phases: 1 ask the card's directory (network) | 2 the payer answers the issuer, if it
 * asks: the operation waits, with all that is needed to go on | 3 the results end the authentication and claim the
 * authorization, in one commit | 4 the authorization is sent (perform.ts).
 *
 * No money moves before 4. A crash before 3 leaves an authentication that ends by its time; a crash after 3 leaves a claimed
 * authorization, which recovery asks for. The results come twice or late without harm: only one commit finds it live.
 */
export type GoneOn = RecordedNow & { readonly attempts: Attempts };

/** Asks the directory, and records what follows: the next operation, a wait for the payer, or the end. */
export async function authenticate(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
): Promise<GoneOn> {
  const threeDs = requireThreeDs(deps);
  const { request, reference } = operation;
  invariant(request !== null, "an authentication that is in flight has its request");
  const underWay = underWayOf(operation);
  const { directory } = threeDs;
  const send = deps.transport.sendFor(directory.name, payment.merchant);
  const response = await timed("authenticate", () => send(request, reference));
  const at = deps.clock.now();
  const { browser } = underWay.attempts;
  const size = windowSizeFor({ width: browser?.screenWidth ?? 390, height: browser?.screenHeight ?? 400 });
  const read = directory.answer(underWay.session, response, at, size);
  // No money moves here: what a directory did not say clearly is taken for nothing, and the policy decides.
  const answer =
    read.kind === "unknown"
      ? ({ kind: "unavailable", authentication: null, because: read.because, doubts: [] } as const)
      : read;
  const session = advance(underWay.session, { type: "answered", answer, at });
  invariant(session.ok, "a started session takes its answer");
  return goOn(deps, payment, operation, { ...underWay, session: session.value });
}

/** What follows from where a session stands now. */
export async function goOn(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  underWay: AuthenticationUnderWay,
): Promise<GoneOn> {
  const { session, attempts } = underWay;
  switch (session.state) {
    case "started":
      throw new Error("invariant broken: a session that was answered is not as it was");
    case "challenge":
    case "decoupled": {
      const { action, until } = session;
      invariant(operation.request !== null, "an authentication that is in flight has its request");
      const request = { ...operation.request, underWay: encodeUnderWay(underWay) };
      const answer: DefiniteAnswer = {
        kind: "requires_action",
        providerPayment: null,
        action,
        keep: { request, until },
      };
      return { ...(await recordAnswer(deps, payment, operation, answer)), attempts };
    }
    case "finished":
      return conclude(deps, payment, operation, underWay, session.conclusion);
  }
}

async function conclude(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  underWay: AuthenticationUnderWay,
  conclusion: Conclusion,
): Promise<GoneOn> {
  const { circumstances, exemption } = underWay;
  const { doubts } = conclusion;
  if (doubts.length > 0) deps.log.warn({ operation: operation.id, doubts }, "an issuer's word is doubted");
  const details = detailsOf(conclusion);
  const verdict = afterAuthentication(conclusion, circumstances, { exemption });
  if (verdict.do === "decline") {
    const { decline } = verdict;
    const answer: DefiniteAnswer = { kind: "declined", decline, providerPayment: null, details };
    return { ...(await recordAnswer(deps, payment, operation, answer)), attempts: underWay.attempts };
  }
  const attempts: Attempts = { ...underWay.attempts, exemption: verdict.exemption };
  const { authentication, liabilityShift } = verdict;
  const proof: Authentication | null = authentication === null ? null : { ...authentication, liabilityShift };
  return claimAuthorization(deps, payment, operation, { ...underWay, attempts }, { proof, details });
}

const RACES = 20;

/** Ends the authentication and claims the authorization, in one commit. */
async function claimAuthorization(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
  { provider, routing: reason, attempts }: AuthenticationUnderWay,
  { proof, details }: { readonly proof: Authentication | null; readonly details: AnswerDetails },
): Promise<GoneOn> {
  let current = { payment, operation };
  for (let race = 1; race <= RACES; race++) {
    if (!isLive(current.operation)) return { ...current, next: null, attempts };
    const at = deps.clock.now();
    const resolveAfter = recoverAfter(deps, at);
    const recorded = recordAuthentication(
      current.payment,
      current.operation,
      proof,
      details,
      (authenticated) => {
        const { attempt } = current.operation;
        const next = newAttempt(deps, attempts, authenticated, { provider, reason }, attempt, at);
        return { operation: next, resolveAfter };
      },
      at,
    );
    if (!recorded.ok) throw new Error(`operation ${operation.id}: ${recorded.error.code}`);
    deps.crash("authenticate.before-commit");
    const result = await deps.commit(recorded.value.commit);
    deps.crash("authenticate.after-commit");
    if (result.outcome === "applied" || result.outcome === "replayed") return { ...recorded.value, attempts };
    invariant(result.outcome === "guard_failed", `an authentication can be recorded: ${result.outcome}`);
    const reread = await deps.reads.operation(payment.merchant, payment.id, operation.id);
    invariant(reread !== null, "an operation does not vanish");
    current = reread;
  }
  throw new Error(`operation ${operation.id} could not be recorded: its payment keeps moving`);
}

/** Of an authentication whose time is over, or whose answer was lost with the process that asked. */
export async function endWait(deps: PaymentDeps, payment: Payment, operation: Operation): Promise<boolean> {
  const at = deps.clock.now();
  const underWay = underWayOf(operation);
  const ended = advance(
    underWay.session,
    operation.state === "requires_action" ? { type: "expired", at } : { type: "abandoned", at },
  );
  if (!ended.ok) return false;
  const decline = declineOf(
    "payer_absent",
    operation.state === "requires_action" ? "timed_out" : "abandoned",
  );
  await recordAnswer(deps, payment, operation, { kind: "declined", decline, providerPayment: null });
  return true;
}

/** When the wait of a session is over; null if it waits for nobody. */
export const waitsUntil = (session: Session): Date | null =>
  session.state === "challenge" || session.state === "decoupled" ? session.until : null;

export function underWayOf({ id, request }: Operation): AuthenticationUnderWay {
  const kept = request?.underWay;
  invariant(kept !== undefined, `the authentication ${id} has its session`);
  return decodeUnderWay(kept);
}

export function requireThreeDs({ threeDs }: PaymentDeps): ThreeDs {
  invariant(threeDs !== null, "3-D Secure is set up where payers are authenticated");
  return threeDs;
}
