import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import type { Clock } from "../../kernel/clock.ts";
import { homeOf, type MerchantId, type PaymentId } from "../../kernel/ids.ts";
import type { Money } from "../../kernel/money.ts";
import {
  canBeDuplicated,
  cardUseOf,
  type DuplicatePolicy,
  type Paid,
  paidBy,
  type Suspicion,
  suspectedEvent,
} from "../domain/duplicates.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { Duplicates, UsedCard } from "../sql/duplicates.ts";
import type { PaymentReads } from "../sql/reads.ts";
import { RecentUses } from "./recent-uses.ts";

/**
 * Watches for duplicates. Phases for each payment: 1 look, before it is claimed: at what this process has seen, or, for
 * merchants who refuse duplicates, in the database | 2 once it is claimed (commit 1 has its `card_use`), look in the database
 * for others of the same, many payments at once, a fraction of a second later: what another process claimed at the same
 * moment is there by then | 3 flag, count, log and announce what was found, once.
 *
 * A crash between 1 and 3 leaves a payment that is not looked at; as its outcome is unknown then, recovery meets it and
 * hands it to `claimed` again.
 */
export interface DuplicateWatch {
  /** Earlier payments of the same, as far as they are known before the claim. */
  look(paid: Paid): Promise<Suspicion>;
  /** The payment was claimed, or refused as a duplicate: commit 1 was applied. Costs next to nothing now. */
  claimed(payment: Payment): void;
  /** Looks in the database for duplicates of all that was claimed; gives how many it flagged. */
  sweep(): Promise<number>;
  /** Sweeps what is left, and ends. */
  stop(): Promise<void>;
  /** Samples by their names in Prometheus's text format. */
  figures(): Readonly<Record<string, number>>;
}

export type DuplicateDeps = {
  readonly duplicates: Duplicates;
  readonly reads: Pick<PaymentReads, "payments">;
  readonly clock: Clock;
  readonly log: Logger;
};

const SWEEP_AFTER_MS = 250;
const MOST_AT_ONCE = 1_000;
/** Beyond it payments are not looked at a second time, and that is counted. */
const MOST_WAITING = 20_000;
const FORGET_EVERY_MS = 60_000;
const POLICY_FRESH_MS = 5_000;
const POLICIES = 10_000;

type Waiting = { readonly payment: PaymentId; readonly paid: Paid; readonly what: string; readonly at: Date };

export function watchDuplicates(deps: DuplicateDeps): DuplicateWatch {
  return new Watch(deps);
}

class Watch implements DuplicateWatch {
  readonly #deps: DuplicateDeps;
  readonly #recent = new RecentUses();
  readonly #policies = new LRUCache<MerchantId, Promise<DuplicatePolicy>>({
    max: POLICIES,
    ttl: POLICY_FRESH_MS,
  });
  readonly #shards = new Set<number>();
  readonly #counts = { suspected: 0, refused: 0, unchecked: 0 };
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<number> | null = null;
  #stopped = false;
  #forgetAt = 0;

  constructor(deps: DuplicateDeps) {
    this.#deps = deps;
  }

  async look(paid: Paid): Promise<Suspicion> {
    const policy = await this.#policyOf(paid.merchant);
    const what = cardUseOf(paid);
    if (what === null) return { count: 0, of: null, policy };
    const since = new Date(this.#deps.clock.now().getTime() - policy.windowMs);
    const known = policy.refuse
      ? await this.#deps.duplicates.since(paid.merchant, what, since)
      : await this.#knownHere(paid.merchant, what, since);
    const counting = known.filter(({ state }) => canBeDuplicated(state));
    return { count: counting.length, of: counting[0]?.id ?? null, policy };
  }

  claimed(payment: Payment): void {
    const { id, merchant, terms, decline } = payment;
    if (decline?.code === "duplicate_payment") {
      this.#counts.refused++;
      this.#deps.log.warn(
        { payment: id, merchant, duplicateOf: terms.duplicateOf },
        "a payment was refused as a duplicate",
      );
      return;
    }
    const paid = paidBy(payment);
    const what = decline === null ? cardUseOf(paid) : null;
    if (what === null) return;
    // Recovery hands over what may have been looked at here already.
    if (!this.#recent.add(what, { payment: id, at: payment.createdAt.getTime() })) return;
    this.#shards.add(homeOf(merchant).shard);
    if (terms.duplicateOf !== null) {
      this.#suspected(merchant, id, terms.duplicateOf);
      return;
    }
    if (this.#waiting.length >= MOST_WAITING) {
      this.#counts.unchecked++;
      return;
    }
    this.#waiting.push({ payment: id, paid, what, at: payment.createdAt });
    this.#wakeUp();
  }

  async sweep(): Promise<number> {
    while (this.#sweeping !== null) await this.#sweeping;
    this.#sweeping = this.#sweepAll().finally(() => {
      this.#sweeping = null;
    });
    return this.#sweeping;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.sweep().catch((error: unknown) =>
      this.#deps.log.warn({ err: error }, "duplicates were not looked for"),
    );
  }

  figures(): Readonly<Record<string, number>> {
    return {
      tessera_duplicates_suspected_total: this.#counts.suspected,
      tessera_duplicates_refused_total: this.#counts.refused,
      tessera_duplicates_unchecked_total: this.#counts.unchecked,
      tessera_duplicates_waiting: this.#waiting.length,
    };
  }

  async #knownHere(merchant: MerchantId, what: string, since: Date) {
    const seen = this.#recent.since(what, since.getTime());
    if (seen.length === 0) return [];
    const payments = await this.#deps.reads.payments(merchant, seen);
    const newest = payments.toSorted((a, b) => (a.id < b.id ? 1 : -1));
    return newest.map((payment) => ({ id: payment.id, state: stateOf(payment) }));
  }

  #policyOf(merchant: MerchantId): Promise<DuplicatePolicy> {
    const known = this.#policies.get(merchant);
    if (known !== undefined) return known;
    const policy = this.#deps.duplicates.policy(merchant);
    this.#policies.set(merchant, policy);
    policy.catch(() => this.#policies.delete(merchant));
    return policy;
  }

  #wakeUp(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.sweep()
        .catch((error: unknown) =>
          this.#deps.log.warn({ err: error }, "duplicates could not be looked for: they will be again"),
        )
        .finally(() => {
          if (this.#waiting.length > 0) this.#wakeUp();
        });
    }, SWEEP_AFTER_MS);
  }

  async #sweepAll(): Promise<number> {
    let flagged = 0;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_AT_ONCE);
      try {
        flagged += await this.#check(batch);
      } catch (error) {
        this.#waiting.unshift(...batch);
        throw error;
      }
    }
    await this.#forget();
    return flagged;
  }

  async #check(batch: readonly Waiting[]): Promise<number> {
    const used: UsedCard[] = [];
    const amounts = new Map<string, Money>();
    for (const { payment, paid, what, at } of batch) {
      const { windowMs } = await this.#policyOf(paid.merchant);
      used.push({ merchant: paid.merchant, payment, what, at, windowMs });
      amounts.set(`${paid.merchant} ${payment}`, paid.amount);
    }
    let flagged = 0;
    for (const duplicate of await this.#deps.duplicates.among(used)) {
      const { merchant, payment, earlier } = duplicate;
      // One of the two was asked for, and the amount is what they have in common.
      const amount = amounts.get(`${merchant} ${payment}`) ?? amounts.get(`${merchant} ${earlier}`);
      if (amount === undefined) continue;
      const event = suspectedEvent({ merchant, payment, amount }, earlier, this.#deps.clock.now());
      if (!(await this.#deps.duplicates.flag(duplicate, event))) continue;
      this.#suspected(merchant, payment, earlier);
      flagged++;
    }
    return flagged;
  }

  #suspected(merchant: MerchantId, payment: PaymentId, duplicateOf: PaymentId): void {
    this.#counts.suspected++;
    this.#deps.log.warn({ payment, duplicateOf, merchant }, "a payment looks like a duplicate");
  }

  async #forget(): Promise<void> {
    const now = this.#deps.clock.now().getTime();
    if (now < this.#forgetAt || this.#shards.size === 0) return;
    this.#forgetAt = now + FORGET_EVERY_MS;
    await this.#deps.duplicates.forgetOld([...this.#shards]);
  }
}
