import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { machineTime } from "./cpu-time.ts";

/** A share of the machine that others may take; beyond it, a rate says little. */
export const DISTURBED = 0.15;

const LOOK_MS = 500;

/**
 * Time that a run may lose to neighbours on the same machine: by waiting for them to end, and by measuring again what
 * they have disturbed. What is measured plays no part in it, so it favours no result.
 */
export class Patience {
  #leftMs: number;

  constructor(seconds: number) {
    this.#leftMs = seconds * 1_000;
  }

  /** Whether an interval of this length can still be repeated; takes its time if so. */
  allows(seconds: number): boolean {
    if (this.#leftMs < seconds * 1_000) return false;
    this.#leftMs -= seconds * 1_000;
    return true;
  }

  /** Waits until the machine is quiet, as long as there is time left. Nothing of ours must be under load. */
  async untilQuiet(signal: AbortSignal): Promise<void> {
    while (this.#leftMs > LOOK_MS) {
      const before = machineTime();
      await sleep(LOOK_MS, undefined, { signal });
      const { busyMs, stolenMs } = machineTime();
      const used = busyMs - before.busyMs + stolenMs - before.stolenMs;
      if (used / (LOOK_MS * availableParallelism()) < DISTURBED) return;
      this.#leftMs -= LOOK_MS;
    }
  }
}
