import { onParentGone } from "../../cli/parent-alive.ts";

/** A Ctrl-C within this time of the first request is the same impatient finger, not a second decision. */
const SAME_REQUEST_MS = 1_500;

/**
 * Calls `stop` once, with the reason for people, when this process is asked to end: SIGINT, SIGTERM, SIGHUP, or
 * the bootstrap's death. A second Ctrl-C does not wait for it: it exits at once with code 130, and the launcher's
 * reaper ends the rest.
 */
export function onStopRequest(stop: (why: string) => void): void {
  let askedAt: number | null = null;
  const request = (why: string) => {
    if (askedAt !== null) return;
    askedAt = performance.now();
    stop(why);
  };
  process.on("SIGINT", () => {
    if (askedAt !== null && performance.now() - askedAt > SAME_REQUEST_MS) process.exit(130);
    request("SIGINT");
  });
  process.on("SIGTERM", () => request("SIGTERM"));
  process.on("SIGHUP", () => request("SIGHUP"));
  onParentGone(() => request("the process that started it is gone"));
}
