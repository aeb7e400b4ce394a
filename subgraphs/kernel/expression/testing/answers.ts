import { compile } from "../compile.ts";
import { reasons } from "../explain.ts";
import { print } from "../print.ts";
import { example } from "./example.ts";
import { choices, condition, randomFacts } from "./random.ts";

/** Levels of the random expressions; each level takes two of the tree's at most. */
export const RANDOM_DEPTH = 4;

/** All that can be asked of a random expression over random facts, as JSON: the same in every runtime. */
export function answersOf(rows: readonly (readonly number[])[]): readonly string[] {
  return rows.map((row) => {
    const choose = choices(row);
    const facts = randomFacts(choose);
    const text = print(condition(choose, RANDOM_DEPTH));
    const compiled = compile(text, example);
    if (!compiled.ok) return JSON.stringify([text, compiled.error]);
    const { cost, decide, explain } = compiled.value;
    return JSON.stringify([text, cost, decide(facts), reasons(explain(facts))]);
  });
}

/** Rows of numbers for `answersOf`, the same for the same seed. */
export const rowsFrom = (seed: number, count: number): readonly (readonly number[])[] => {
  // A linear congruential generator (Numerical Recipes' constants): any spread will do, the same everywhere.
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
  return Array.from({ length: count }, () => Array.from({ length: 160 }, next));
};
