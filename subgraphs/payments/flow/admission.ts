import { AsyncLocalStorage } from "node:async_hooks";
import { err, ok, type Result } from "../../kernel/result.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { admissionFigures } from "./admission-figures.ts";
import { ADMISSION_DEFAULTS, type AdmissionOptions } from "./admission-options.ts";
import { LOAD_CLASSES, type LoadClass } from "./load-class.ts";
import { ServiceRate } from "./service-rate.ts";
import { type Guest, WaitingRoom } from "./waiting-room.ts";

export type { AdmissionOptions } from "./admission-options.ts";

/**
 * Bounds how much this process works on at once, and says who goes first when there is too much (docs/overload.md). Load is
 * turned away here, before commit 1, and nowhere later: refusing a commit after a charge would manufacture unknown
 * outcomes. Whoever is let in has its place until its commit 2.
 */
export type Asking = {
  readonly class: LoadClass;
  /** Whose request it is: merchants share what there is. */
  readonly merchant: string;
};

/** `merchant_share`: the merchant has more under way than is its share while others wait. */
export type TurnedAway = {
  readonly because: "overloaded" | "merchant_share";
  /** When to ask again, in ms: not the same for all, or all would come back at once. */
  readonly retryAfterMs: number;
};

export interface Admission {
  /** What `asking` would be told at once, without having its request looked at any further; null if it may come in or wait. */
  turnsAway(asking: Asking): TurnedAway | null;
  /** Somebody waits: it is time to look before working. */
  readonly crowded: boolean;
  /**
   * Runs `work` as soon as there is room, or says why not, at the latest after the longest wait. Inside another `enter` or
   * `admit` it runs it at once: that one has a place already.
   */
  enter<T>(asking: Asking, work: () => Promise<T>): Promise<Result<T, TurnedAway>>;
  /** The same for those who only want to know whether: null if it was turned away. */
  admit<T>(work: () => Promise<T>, asking?: Asking): Promise<T | null>;
  /** Waits for somebody else, a provider: until then the request takes nothing of ours but its place in memory. */
  away<T>(work: () => Promise<T>): Promise<T>;
  readonly inFlight: number;
  /** Samples by their names in Prometheus's text format. */
  figures(): Readonly<Record<string, number>>;
}

/** Up to which part of the limit a class is let in: what is above is kept for those before it. */
const SHARES: Record<LoadClass, number> = { follow_up: 1, authorization: 0.9, read: 0.75 };
/** What ends payments may wait longer: there is not more of it than was let in before. */
const PATIENCE: Record<LoadClass, number> = { follow_up: 4, authorization: 1, read: 1 };
/** Of the limit; a class that has less gets in whatever the others do, so that none starves. */
const LEAST_SHARE = 0.05;
const LEAST_WAITING = 4;
const RETRY_MS = 1_000;
/** Twice what the others have on average is more than a share. */
const GREEDY = 2;
const NOBODY: Asking = { class: "authorization", merchant: "" };

/** One request that was let in. */
type Place = {
  readonly class: LoadClass;
  readonly from: number;
  /** Calls of its that wait for somebody else. */
  awayCalls: number;
  awaySince: number;
  awayMs: number;
  left: boolean;
};

export type ClassCounts = { admitted: number; overloaded: number; merchantShare: number; inside: number };

/** @param limit requests in flight at once at most, also of those that wait for a provider */
export function createAdmission(limit: number, options: Partial<AdmissionOptions> = {}): Admission {
  return new AdmissionControl(limit, { ...ADMISSION_DEFAULTS, ...options });
}

class AdmissionControl implements Admission {
  readonly #options: AdmissionOptions;
  readonly #most: number;
  readonly #limit: AdaptiveLimit;
  readonly #paymentsLimit: AdaptiveLimit;
  readonly #rate = new ServiceRate();
  readonly #waiting = new WaitingRoom();
  readonly #places = new AsyncLocalStorage<Place>();
  /** What each merchant has in flight or waiting; who has nothing is not in it. */
  readonly #held = new Map<string, number>();
  readonly #counts: Record<LoadClass, ClassCounts>;
  #heldByAll = 0;
  #inFlight = 0;
  #inside = 0;
  #away = 0;

  constructor(limit: number, options: AdmissionOptions) {
    this.#options = options;
    this.#most = limit;
    this.#limit = new AdaptiveLimit({ ...options.atOnce, most: limit });
    const { paymentsAtOnce } = options;
    const most = Math.min(paymentsAtOnce.most, limit);
    this.#paymentsLimit = new AdaptiveLimit({ ...paymentsAtOnce, most });
    const none = () => ({ admitted: 0, overloaded: 0, merchantShare: 0, inside: 0 });
    this.#counts = { follow_up: none(), authorization: none(), read: none() };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get crowded(): boolean {
    return this.#waiting.length > 0;
  }

  turnsAway(asking: Asking): TurnedAway | null {
    if (this.#hasRoom(asking.class)) return null;
    return this.#waiting.placeFor(asking, this.#mayWait(asking.class)).free ? null : this.#turnAway(asking);
  }

  async enter<T>(asking: Asking, work: () => Promise<T>): Promise<Result<T, TurnedAway>> {
    const own = this.#places.getStore();
    if (own !== undefined && !own.left) return ok(await work());
    this.#hold(asking.merchant, 1);
    try {
      if (this.#hasRoom(asking.class)) this.#take(asking.class);
      else {
        const refused = await this.#wait(asking);
        if (refused !== null) return err(refused);
      }
      return ok(await this.#run(asking.class, work));
    } finally {
      this.#hold(asking.merchant, -1);
    }
  }

  async admit<T>(work: () => Promise<T>, asking: Asking = NOBODY): Promise<T | null> {
    const entered = await this.enter(asking, work);
    return entered.ok ? entered.value : null;
  }

  async away<T>(work: () => Promise<T>): Promise<T> {
    const place = this.#places.getStore();
    if (place === undefined || place.left) return work();
    if (place.awayCalls++ === 0) {
      place.awaySince = this.#options.now();
      this.#away++;
      this.#leaveInside(place);
    }
    try {
      return await work();
    } finally {
      if (--place.awayCalls === 0) this.#comeBack(place);
    }
  }

  figures(): Readonly<Record<string, number>> {
    return admissionFigures({
      limit: this.#limit.value,
      inFlight: this.#inFlight,
      inside: this.#inside,
      away: this.#away,
      paymentsLimit: this.#paymentsLimit.value,
      counts: this.#counts,
      waiting: (name) => this.#waiting.lengthOf(name),
    });
  }

  #comeBack(place: Place): void {
    const now = this.#options.now();
    const ms = now - place.awaySince;
    this.#paymentsLimit.finished(ms, this.#payments(), now);
    this.#away--;
    if (!place.left) {
      place.awayMs += ms;
      this.#inside++;
      this.#counts[place.class].inside++;
    }
    this.#letIn();
  }

  /** The place was taken before. It is given back on every way out. */
  async #run<T>(name: LoadClass, work: () => Promise<T>): Promise<T> {
    const from = this.#options.now();
    const place: Place = { class: name, from, awayCalls: 0, awaySince: 0, awayMs: 0, left: false };
    try {
      return await this.#places.run(place, work);
    } finally {
      this.#leave(place);
    }
  }

  #take(name: LoadClass): void {
    this.#inFlight++;
    this.#inside++;
    this.#counts[name].inside++;
    this.#counts[name].admitted++;
  }

  #leave(place: Place): void {
    const now = this.#options.now();
    const { awayCalls, awaySince, awayMs, from } = place;
    const elsewhere = awayMs + (awayCalls > 0 ? now - awaySince : 0);
    this.#limit.finished(now - from - elsewhere, this.#inside, now);
    this.#rate.finished(this.crowded, now);
    place.left = true;
    this.#inFlight--;
    if (awayCalls > 0) this.#letIn();
    else this.#leaveInside(place);
  }

  #leaveInside(place: Place): void {
    this.#inside--;
    this.#counts[place.class].inside--;
    this.#letIn();
  }

  /** Lets in whoever waits and has room now, the most important first. */
  #letIn(): void {
    for (const name of LOAD_CLASSES) {
      while (this.#hasRoom(name)) {
        const guest = this.#waiting.next(name);
        if (guest === null) break;
        this.#take(name);
        guest.admit();
      }
    }
  }

  /** Requests that wait for a provider, or may soon. */
  #payments(): number {
    return this.#away + this.#inside - this.#counts.read.inside;
  }

  #hasRoom(name: LoadClass): boolean {
    const limit = this.#limit.value;
    if (this.#inFlight >= Math.ceil(this.#most * SHARES[name])) return false;
    if (name !== "read" && this.#payments() >= Math.ceil(this.#paymentsLimit.value * SHARES[name]))
      return false;
    if (this.#inside < Math.ceil(limit * SHARES[name])) return true;
    return this.#counts[name].inside < limit * LEAST_SHARE;
  }

  /** Null once there is room, and the place is taken; else why there was none. */
  #wait(asking: Asking): Promise<TurnedAway | null> {
    const { free, instead } = this.#waiting.placeFor(asking, this.#mayWait(asking.class));
    if (!free) return Promise.resolve(this.#turnAway(asking));
    if (instead !== null) {
      this.#waiting.remove(instead);
      instead.turnAway();
    }
    return new Promise((resolve) => {
      const turnAway = () => {
        clearTimeout(timer);
        resolve(this.#turnAway(asking));
      };
      const admit = () => {
        clearTimeout(timer);
        resolve(null);
      };
      const guest: Guest = { ...asking, admit, turnAway };
      // After a pause of the whole process everybody's time is over at once: first see who has room by now.
      const timer = setTimeout(() => setImmediate(giveUp), this.#options.maxWaitMs * PATIENCE[asking.class]);
      const giveUp = () => {
        if (this.#waiting.remove(guest)) turnAway();
      };
      this.#waiting.add(guest);
    });
  }

  /** As many as will have room in time, as fast as it goes now: the rest would wait for nothing. */
  #mayWait(name: LoadClass): number {
    const { maxWaitMs, maxWaiting, now } = this.#options;
    const perMs = this.#rate.perMs(now());
    if (perMs === null) return maxWaiting;
    return Math.min(maxWaiting, Math.max(LEAST_WAITING, Math.floor(perMs * maxWaitMs * PATIENCE[name])));
  }

  #turnAway({ class: name, merchant }: Asking): TurnedAway {
    const because = this.#isGreedy(merchant) ? "merchant_share" : "overloaded";
    this.#counts[name][because === "overloaded" ? "overloaded" : "merchantShare"]++;
    return { because, retryAfterMs: Math.round(RETRY_MS * (1 + this.#options.random())) };
  }

  #isGreedy(merchant: string): boolean {
    const own = this.#held.get(merchant) ?? 0;
    const others = this.#held.size - (own > 0 ? 1 : 0);
    return others > 0 && own > (GREEDY * (this.#heldByAll - own)) / others;
  }

  #hold(merchant: string, change: 1 | -1): void {
    const held = (this.#held.get(merchant) ?? 0) + change;
    if (held === 0) this.#held.delete(merchant);
    else this.#held.set(merchant, held);
    this.#heldByAll += change;
  }
}
