import { idFromUuid, type MerchantId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { ClaimKind } from "../../ledger/commit.ts";
import type { StoredClaim } from "../sql/reads.ts";
import type { PaymentDeps } from "./deps.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** How long a repeated request waits for the first one before it is told that it is in progress. */
const WAIT_MS = 2_000;
const POLL_MS = [50, 100, 200, 400, 800];

/**
 * The answer to a request whose idempotency key is taken: with the same arguments the first request's outcome,
 * waited for a little if it is in flight; with other arguments, `key_reused`. Never a second charge.
 */
export async function priorOutcome(
  deps: PaymentDeps,
  merchant: MerchantId,
  claim: StoredClaim,
  asked: { readonly kind: ClaimKind; readonly fingerprint: string },
): Promise<Outcome> {
  if (claim.kind !== asked.kind || claim.fingerprint !== asked.fingerprint) return { kind: "key_reused" };
  invariant(claim.payment !== null, "an operation's claim names its payment");
  const operation = idFromUuid("op", claim.subject);

  const live = deps.live.get(operation);
  if (live !== undefined) {
    const finished = await Promise.race([live.catch(() => null), pause(WAIT_MS)]);
    if (finished) return finished;
  }
  for (const delay of live === undefined ? [0, ...POLL_MS] : [0]) {
    if (delay > 0) await pause(delay);
    const stored = await deps.reads.operation(merchant, claim.payment, operation);
    invariant(stored !== null, "a claim's operation exists");
    const outcome = outcomeOf(stored.payment, stored.operation);
    if (outcome.kind !== "pending" || delay === (live === undefined ? POLL_MS.at(-1) : 0)) {
      return outcome;
    }
  }
  throw new Error("unreachable: the last poll answers");
}

const pause = (ms: number): Promise<null> => new Promise((resolve) => setTimeout(resolve, ms, null));
