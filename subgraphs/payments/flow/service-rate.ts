const WINDOW_MS = 100;
/** Weight of the last window. */
const NEWEST = 0.3;
/** What was learnt longer ago says nothing of now. */
const FORGOTTEN_MS = 10_000;

/** How fast requests are finished while others wait for room: as fast as it goes. Times are ms of a clock that never goes back. */
export class ServiceRate {
  #perMs: number | null = null;
  #learntAt = Number.NEGATIVE_INFINITY;
  #from: number | null = null;
  #finished = 0;

  finished(othersWait: boolean, now: number): void {
    if (!othersWait) {
      this.#from = null;
      return;
    }
    if (this.#from === null) {
      this.#from = now;
      this.#finished = 0;
      return;
    }
    this.#finished++;
    const ms = now - this.#from;
    if (ms < WINDOW_MS) return;
    const perMs = this.#finished / ms;
    const known = this.perMs(now);
    this.#perMs = known === null ? perMs : known + NEWEST * (perMs - known);
    this.#learntAt = this.#from = now;
    this.#finished = 0;
  }

  /** Requests a millisecond; null if it is not known. */
  perMs(now: number): number | null {
    return now - this.#learntAt > FORGOTTEN_MS ? null : this.#perMs;
  }
}
