import { vi } from "vitest";
import { type Admission, type AdmissionOptions, createAdmission } from "../admission.ts";
import { LOAD_CLASSES, type LoadClass } from "../load-class.ts";

/** Requests at an admission, for its tests. They use fake timers. */

/** A request that is let in, or not, and ends when the test says so. */
export class Asked {
  state: "waiting" | "inside" | "done" | "overloaded" | "merchant_share" = "waiting";
  retryAfterMs = 0;
  readonly #end = Promise.withResolvers<void>();
  readonly #calls = Promise.withResolvers<void>();
  readonly settled: Promise<void>;
  #admission: Admission;
  #toWait: (() => Promise<void>) | null = null;
  #back = Promise.withResolvers<void>();

  constructor(admission: Admission, name: LoadClass, merchant = "m") {
    this.#admission = admission;
    const work = async () => {
      this.state = "inside";
      for (;;) {
        await Promise.race([this.#end.promise, this.#calls.promise]);
        if (this.#toWait === null) return;
        await this.#toWait();
        this.#toWait = null;
        await this.#end.promise;
        return;
      }
    };
    this.settled = admission.enter({ class: name, merchant }, work).then(
      (entered) => {
        this.state = entered.ok ? "done" : entered.error.because;
        if (!entered.ok) this.retryAfterMs = entered.error.retryAfterMs;
      },
      () => {
        this.state = "done";
      },
    );
  }

  /** Waits for somebody else until `comeBack`. */
  goAway(): void {
    this.#toWait = () => this.#admission.away(() => this.#back.promise);
    this.#calls.resolve();
  }
  comeBack(): void {
    this.#back.resolve();
  }
  end(error?: Error): void {
    this.comeBack();
    if (error === undefined) this.#end.resolve();
    else this.#end.reject(error);
  }
}

export const turn = () => vi.advanceTimersByTimeAsync(0);
export const ask = (admission: Admission, name: LoadClass, merchant?: string) =>
  new Asked(admission, name, merchant);
export const states = (asked: readonly Asked[]) => asked.map(({ state }) => state);
export const inside = (admission: Admission) => admission.figures()["tessera_admission_inside"];
export const waiting = (admission: Admission) =>
  LOAD_CLASSES.reduce((sum, name) => sum + waitingOf(admission, name), 0);
const waitingOf = (admission: Admission, name: LoadClass) =>
  admission.figures()[`tessera_admission_waiting{class="${name}"}`] ?? 0;

/** A limit that stays as it is. */
export const fixed = (limit: number, options: Partial<AdmissionOptions> = {}) =>
  createAdmission(10_000, {
    atOnce: { initial: limit, least: limit, targetMs: Number.POSITIVE_INFINITY },
    ...options,
  });
