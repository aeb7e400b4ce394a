import type { Observation } from "./router.ts";
import { Window } from "./window.ts";

export type BreakerLimits = {
  /** Failures and unknown outcomes in a row that open it. */
  readonly inARow: number;
  /** As many in a row if all are definite failures of one merchant's payments: that merchant's requests may be at fault. */
  readonly ofOneMerchant: number;
  /** Or this share of bad outcomes, among at least `of` within `withinMs`. */
  readonly rate: { readonly share: number; readonly of: number; readonly withinMs: number };
  /** How long it stays open before a probe; twice as long after each probe that fails, up to `longestMs`. */
  readonly openMs: number;
  readonly longestMs: number;
  /** Probes in a row that must come out well before it closes. */
  readonly probes: number;
};

export const BREAKER_LIMITS: BreakerLimits = {
  inARow: 5,
  ofOneMerchant: 20,
  rate: { share: 0.5, of: 20, withinMs: 10_000 },
  openMs: 15_000,
  longestMs: 300_000,
  probes: 2,
};

/** `probe`: one request may go, to see whether the provider is back. */
export type Health = "closed" | "probe" | "open";

/** Of a breaker that never opens: where one provider is asked whatever it does. */
export const NEVER_OPENS: BreakerLimits = {
  ...BREAKER_LIMITS,
  inARow: Number.POSITIVE_INFINITY,
  ofOneMerchant: Number.POSITIVE_INFINITY,
  rate: { ...BREAKER_LIMITS.rate, share: 2 },
};

type Run = { readonly length: number; readonly merchant: string; readonly onlyItsFailures: boolean };

/**
 * One provider's circuit breaker. `closed` lets all through; `open` none; after its time one probe at a time, until enough
 * came out well, or one did not. Decided by outcomes as the provider's own words mean them, told when they are known:
 * an issuer's decline is a good one. What was under way when it opened and ends later changes nothing while it is open.
 * Times are milliseconds of a clock that never goes back.
 */
export class Breaker {
  readonly #limits: BreakerLimits;
  readonly #window: Window;
  #run: Run | null = null;
  /** Null while closed. */
  #reopensAt: number | null = null;
  #openMs: number;
  #probing = false;
  #well = 0;

  constructor(limits: BreakerLimits) {
    this.#limits = limits;
    this.#openMs = limits.openMs;
    // As many as may well come in that time; if there are more, the latest of them count.
    this.#window = new Window(256, limits.rate.withinMs);
  }

  health(now: number): Health {
    if (this.#reopensAt === null) return "closed";
    return now >= this.#reopensAt && !this.#probing ? "probe" : "open";
  }

  /** Takes the probe's place, where `health` is "probe". */
  beginProbe(): void {
    this.#probing = true;
  }

  /** The probe is back, whatever it brought; the next may go. */
  endProbe(): void {
    this.#probing = false;
  }

  saw(outcome: Observation["outcome"], merchant: string, now: number): void {
    const bad = outcome === "failed" || outcome === "unknown";
    if (this.#reopensAt === null) this.#sawClosed(bad, outcome, merchant, now);
    else if (now >= this.#reopensAt) this.#sawProbe(bad, now);
  }

  #sawClosed(bad: boolean, outcome: Observation["outcome"], merchant: string, now: number): void {
    this.#window.add(now, bad ? "bad" : "good", null);
    this.#run = bad ? longer(this.#run, outcome, merchant) : null;
    if (this.#runIsOver() || this.#rateIsOver(now)) this.#open(now, this.#limits.openMs);
  }

  #sawProbe(bad: boolean, now: number): void {
    if (bad) return this.#open(now, Math.min(this.#openMs * 2, this.#limits.longestMs));
    if (++this.#well < this.#limits.probes) return;
    this.#reopensAt = null;
  }

  #runIsOver(): boolean {
    const { inARow, ofOneMerchant } = this.#limits;
    return this.#run !== null && this.#run.length >= (this.#run.onlyItsFailures ? ofOneMerchant : inARow);
  }

  #rateIsOver(now: number): boolean {
    const { share, of } = this.#limits.rate;
    const { good, bad } = this.#window.counts(now);
    return good + bad >= of && bad >= share * (good + bad);
  }

  #open(now: number, forMs: number): void {
    this.#reopensAt = now + forMs;
    this.#openMs = forMs;
    this.#well = 0;
    this.#run = null;
    this.#window.clear();
  }
}

function longer(run: Run | null, outcome: Observation["outcome"], merchant: string): Run {
  const failed = outcome === "failed";
  if (run === null) return { length: 1, merchant, onlyItsFailures: failed };
  const same = run.onlyItsFailures && failed && run.merchant === merchant;
  return { length: run.length + 1, merchant, onlyItsFailures: same };
}
