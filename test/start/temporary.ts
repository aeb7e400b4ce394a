import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** A folder that is removed after the test. Others can pass through it, as root's Postgres has to. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "tessera-start-"));
  chmodSync(path, 0o711);
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Waits until `condition` holds; throws, naming `what`, if it does not within `ms`. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(20);
  }
}

/** A process by its pid, or null if it does not run; a zombie does not. */
export { identityOf as running } from "../../cli/proc.mjs";
