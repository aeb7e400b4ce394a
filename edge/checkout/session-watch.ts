import type { CheckoutApi, SessionDetails } from "./api.ts";

const FIRST_MS = 400;
const LONGEST_MS = 5_000;
/** A payment that nobody could tell about for this long is told to the payer by the merchant instead. */
const GIVE_UP_MS = 10 * 60_000;

/**
 * Asks for the session until it says more than PROCESSING, less and less often. Asking changes nothing, so a
 * failed answer is a reason to ask again. Null if that took too long or `stopped` says that nobody waits any more.
 */
export async function watchSession(api: CheckoutApi, stopped: () => boolean): Promise<SessionDetails | null> {
  const until = Date.now() + GIVE_UP_MS;
  for (let wait = FIRST_MS; Date.now() < until && !stopped(); wait = Math.min(wait * 1.6, LONGEST_MS)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const session = await api.session().catch(() => null);
    if (session !== null && session.status !== "PROCESSING") return session;
  }
  return null;
}
