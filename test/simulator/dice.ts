import { SeededRandom } from "../sandbox/kit/random.ts";

/** Chance under a name: the same seed and name give the same draws, whatever else is drawn. */
export class Dice {
  readonly #random: SeededRandom;
  readonly #name: string;

  constructor(seed: number, name: string) {
    this.#random = new SeededRandom(seed);
    this.#name = name;
  }

  /** At least 0, below 1. */
  draw(): number {
    return this.#random.draw(this.#name);
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.draw() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.draw() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.whole(0, from.length - 1)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }

  /** One of the values by their weights. */
  weighted<T>(from: readonly (readonly [value: T, weight: number])[]): T {
    let left = this.draw() * from.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of from) {
      left -= weight;
      if (left < 0) return value;
    }
    throw new Error("weights sum up to more than nothing");
  }
}
