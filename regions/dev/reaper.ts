import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProcessIdentity } from "../../cli/proc.mjs";

/**
 * How a process of ours is ended. "group" leads a process group of its own: SIGTERM, then SIGKILL to the whole
 * group. "postgres" is a postmaster: SIGINT, then SIGQUIT; a SIGKILL to it or to a backend could cost shared
 * memory and a recovery.
 */
export type EndingKind = "group" | "postgres";

export type Reaper = {
  /** Ends this process when the launcher is gone, until `forget`. */
  watch(child: ProcessIdentity, kind: EndingKind): void;
  forget(child: ProcessIdentity): void;
  /** The launcher ends in order: what is still watched is ended, and the reaper after it. */
  close(): void;
};

/**
 * Starts a process that outlives this one by a few seconds and ends what it left behind, however it went:
 * reaper.sh says in which order. It needs nothing but /bin/sh and /proc.
 */
export function startReaper(): Reaper {
  const script = fileURLToPath(new URL("./reaper.sh", import.meta.url));
  // Detached: a terminal's Ctrl-C, and a kill of our whole process group, must not reach it.
  const child = spawn("/bin/sh", [script], { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", () => {}); // without it, a kill -9 leaves children behind; the next start ends those
  child.stdin.on("error", () => {});
  child.unref();
  return {
    watch: ({ pid, ticks }, kind) => void child.stdin.write(`+ ${pid} ${ticks} ${kind}\n`),
    forget: ({ pid }) => void child.stdin.write(`- ${pid}\n`),
    close: () => void child.stdin.end(),
  };
}
