import type { Session, SessionStatus } from "./api.ts";

export type Watch = {
  /** Asks how the session stands; must change nothing that matters. A failed answer is a reason to ask again. */
  readonly ask: () => Promise<Session | null>;
  /** What is waited through. */
  readonly through: SessionStatus;
  readonly signal: AbortSignal;
  readonly firstMs?: number;
  readonly longestMs?: number;
  /** A payment that nobody could tell about for this long is told to the payer by the merchant instead. */
  readonly giveUpMs?: number;
};

/**
 * Asks for the session until it says more than `through`, less and less often, and at once when the payer comes back
 * to this tab. Null if that took too long or `signal` says that nobody waits any more.
 */
export async function watchSession(watch: Watch): Promise<Session | null> {
  const { ask, through, signal, firstMs = 400, longestMs = 5_000, giveUpMs = 10 * 60_000 } = watch;
  const until = Date.now() + giveUpMs;
  for (let wait = firstMs; Date.now() < until; wait = Math.min(wait * 1.6, longestMs)) {
    await pause(wait, signal);
    if (signal.aborted) return null;
    const session = await ask().catch(() => null);
    if (signal.aborted) return null;
    if (session !== null && session.status !== through) return session;
  }
  return null;
}

/** Ends early when the tab is seen again: browsers slow a hidden one down, and the payer may have been in an app. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = new AbortController();
    const end = () => {
      clearTimeout(timer);
      stop.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) return end();
    signal.addEventListener("abort", end, { signal: stop.signal });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && end(), {
      signal: stop.signal,
    });
  });
}
