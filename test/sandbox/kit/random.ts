/**
 * Seeded chance, so that a run can be repeated.
 *
 * Draws are made under a name (which request, which webhook) and the nth draw under a name depends on nothing
 * but the seed, the name and n. So what happens to one payment is the same in a repeated run, in whatever
 * order the payments' requests arrive.
 */

/** Names beyond this are forgotten, all at once: a name that comes back then starts its draws again. */
const MAX_NAMES = 500_000;

export class SeededRandom {
  #seed: number;
  readonly #draws = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Starts over with a seed, the same one or another. */
  reseed(seed: number): void {
    this.#seed = seed;
    this.#draws.clear();
  }

  /** The next number under a name: at least 0, below 1. */
  draw(name: string): number {
    const nth = this.#draws.get(name) ?? 0;
    if (nth === 0 && this.#draws.size >= MAX_NAMES) this.#draws.clear();
    this.#draws.set(name, nth + 1);
    return hash(`${this.#seed} ${nth} ${name}`) / 2 ** 32;
  }
}

/** 32 bits: FNV-1a over the text, then the finishing steps of MurmurHash3, which spread near texts apart. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
