import type { PaymentId } from "../../kernel/ids.ts";
import { LONGEST_WINDOW_MS } from "../domain/duplicates.ts";

export type RecentUse = { readonly payment: PaymentId /** Ms since the epoch. */; readonly at: number };

/** Of one card and amount; more would only be more of the same. */
const MOST_OF_ONE = 10;

/** The payments that this process has claimed lately, by what they paid: at most `most` cards and amounts, the oldest are forgotten. */
export class RecentUses {
  readonly #most: number;
  /** A Map keeps its order of insertion: who is added to goes to its end. */
  readonly #uses = new Map<string, RecentUse[]>();

  constructor(most = 100_000) {
    this.#most = most;
  }

  get size(): number {
    return this.#uses.size;
  }

  /** False if the payment is known already. */
  add(what: string, use: RecentUse): boolean {
    const uses = this.#uses.get(what);
    if (uses === undefined) this.#uses.set(what, [use]);
    else {
      if (uses.some(({ payment }) => payment === use.payment)) return false;
      this.#uses.delete(what);
      uses.push(use);
      if (uses.length > MOST_OF_ONE) uses.shift();
      this.#uses.set(what, uses);
    }
    this.#forget(use.at - LONGEST_WINDOW_MS);
    return true;
  }

  /** Payments of `what` that were made then or later. */
  since(what: string, at: number): readonly PaymentId[] {
    const uses = this.#uses.get(what);
    if (uses === undefined) return [];
    return uses.filter((use) => use.at >= at).map(({ payment }) => payment);
  }

  #forget(before: number): void {
    for (const [what, uses] of this.#uses) {
      if (this.#uses.size <= this.#most && (uses.at(-1)?.at ?? 0) >= before) return;
      this.#uses.delete(what);
    }
  }
}
