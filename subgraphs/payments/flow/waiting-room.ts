import { LOAD_CLASSES, type LoadClass } from "./load-class.ts";

/** Who waits, in whose name, and what is to be called. */
export type Guest = {
  readonly class: LoadClass;
  readonly merchant: string;
  readonly admit: () => void;
  readonly turnAway: () => void;
};

/**
 * Who waits for room: by class, in a class the merchants in turn, and of a merchant who came first. If it is full, who came
 * last gives way of the merchant with the most in the lowest class there, unless that is whoever comes (fair queueing
 * that drops from the fattest flow, RFC 8290, section 4.1.1). So nobody's crowd keeps another merchant out.
 */
export class WaitingRoom {
  readonly #classes = new Map<LoadClass, Map<string, Guest[]>>(
    LOAD_CLASSES.map((name) => [name, new Map<string, Guest[]>()]),
  );
  #length = 0;

  get length(): number {
    return this.#length;
  }

  lengthOf(name: LoadClass): number {
    let length = 0;
    for (const guests of this.#of(name).values()) length += guests.length;
    return length;
  }

  /** Whether `guest` could wait where `bound` may; if so, who would have to leave for it. */
  placeFor(
    guest: Pick<Guest, "class" | "merchant">,
    bound: number,
  ): { readonly free: boolean; readonly instead: Guest | null } {
    if (this.#length < bound) return { free: true, instead: null };
    const lowest = LOAD_CLASSES.findLast((name) => this.#of(name).size > 0);
    if (lowest === undefined || LOAD_CLASSES.indexOf(lowest) < LOAD_CLASSES.indexOf(guest.class))
      return { free: false, instead: null };
    const fattest = this.#fattest(lowest);
    // Of its own class only one that has more than it would have: else two would turn each other away by turns.
    const own = lowest === guest.class ? (this.#of(lowest).get(guest.merchant)?.length ?? 0) + 1 : 0;
    return own < fattest.length
      ? { free: true, instead: fattest.at(-1) ?? null }
      : { free: false, instead: null };
  }

  add(guest: Guest): void {
    const merchants = this.#of(guest.class);
    const guests = merchants.get(guest.merchant);
    if (guests === undefined) merchants.set(guest.merchant, [guest]);
    else guests.push(guest);
    this.#length++;
  }

  /** Takes the next of a class: its merchant is then the last in turn. */
  next(name: LoadClass): Guest | null {
    const merchants = this.#of(name);
    for (const [merchant, guests] of merchants) {
      merchants.delete(merchant);
      const first = guests.shift() as Guest;
      if (guests.length > 0) merchants.set(merchant, guests);
      this.#length--;
      return first;
    }
    return null;
  }

  /** Somebody stops waiting; false if they do not wait any more. */
  remove(guest: Guest): boolean {
    const merchants = this.#of(guest.class);
    const guests = merchants.get(guest.merchant) ?? [];
    const at = guests.indexOf(guest);
    if (at < 0) return false;
    guests.splice(at, 1);
    if (guests.length === 0) merchants.delete(guest.merchant);
    this.#length--;
    return true;
  }

  #of(name: LoadClass): Map<string, Guest[]> {
    return this.#classes.get(name) as Map<string, Guest[]>;
  }

  #fattest(name: LoadClass): readonly Guest[] {
    let fattest: readonly Guest[] = [];
    for (const guests of this.#of(name).values()) if (guests.length > fattest.length) fattest = guests;
    return fattest;
  }
}
