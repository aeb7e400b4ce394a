import { err, ok, type Result } from "../result.ts";
import { check } from "./check.ts";
import { constantOf } from "./constants.ts";
import { costOf } from "./cost.ts";
import { emit } from "./emit.ts";
import type { Environment } from "./environment.ts";
import { type ExpressionError, type Fault, located } from "./errors.ts";
import { type Explanation, explain, type Outcome, outcomeOf } from "./explain.ts";
import { parse } from "./parse.ts";
import { print } from "./print.ts";
import { isLiteral, type Node, partsOf } from "./syntax.ts";
import type { Value } from "./values.ts";

/** What an expression asks for, so that it can be fetched before: evaluation itself waits for nothing. */
export type Uses = {
  readonly fields: readonly string[];
  readonly lists: readonly string[];
  /** Each call as written, with the values that are written as they are; null for those that come from facts. */
  readonly calls: readonly { readonly name: string; readonly values: readonly (Value | null)[] }[];
};

/** An expression that is right. Evaluating takes at most `cost` steps, does no I/O and never throws. */
export type Compiled<F> = {
  /** The expression, written the canonical way. */
  readonly text: string;
  readonly cost: number;
  readonly uses: Uses;
  /** Whether the condition holds; false also where that cannot be told. */
  readonly evaluate: (facts: F) => boolean;
  /** Tells "does not hold" from "unknown". */
  readonly decide: (facts: F) => Outcome;
  /** What came of each part, for people (explain.ts, `reasons`). Slower than `evaluate`. */
  readonly explain: (facts: F) => Explanation;
};

/**
 * Compiles a condition, or says all that is wrong with it (the first mistake of writing, or up to LIMITS.errors of
 * typing). The language is described in docs/expressions.md. Never throws, whatever the text.
 */
export function compile<F>(
  text: string,
  environment: Environment<F>,
): Result<Compiled<F>, readonly ExpressionError[]> {
  const compiled = compileWithin(text, 0, text.length, environment);
  return compiled.ok ? compiled : err(compiled.error.map((fault) => located(text, fault)));
}

/** Compiles the expression that stands between two offsets of a larger text. */
export function compileWithin<F>(
  source: string,
  start: number,
  end: number,
  environment: Environment<F>,
): Result<Compiled<F>, readonly Fault[]> {
  const tree = parse(source, start, end);
  return tree.ok ? compileTree(tree.value, environment) : err([tree.error]);
}

/** Compiles a tree that was parsed; `parse` has kept its size within LIMITS. */
export function compileTree<F>(
  tree: Node,
  environment: Environment<F>,
): Result<Compiled<F>, readonly Fault[]> {
  const types = check(tree, environment);
  if (!(types instanceof Map)) return err(types as readonly Fault[]);
  const cost = costOf(tree, environment);
  if (cost > environment.maxCost) {
    const message = `this takes up to ${cost} steps, and ${environment.maxCost} are allowed; ask for less`;
    return err([{ code: "TOO_COSTLY", message, at: tree.at }]);
  }
  const made = emit(tree, types, environment);
  const root = made.get(tree) ?? (() => undefined);
  return ok({
    text: print(tree),
    cost,
    uses: usesOf(tree),
    evaluate: (facts) => root(facts) === true,
    decide: (facts) => outcomeOf(root(facts)),
    explain: (facts) => explain(tree, made, types, facts),
  });
}

/** The expression written the canonical way, whether or not its names are known; or what is wrong with its writing. */
export function format(text: string): Result<string, ExpressionError> {
  const tree = parse(text);
  return tree.ok ? ok(print(tree.value)) : err(located(text, tree.error));
}

function usesOf(tree: Node): Uses {
  const fields = new Set<string>();
  const lists = new Set<string>();
  const calls = new Map<string, Uses["calls"][number]>();
  const visit = (node: Node): void => {
    if (node.kind === "name") fields.add(node.name);
    if (node.kind === "in" && node.collection.kind === "named list") lists.add(node.collection.name);
    if (node.kind === "call") {
      const values = node.arguments.map((argument) => (isLiteral(argument) ? constantOf(argument) : null));
      calls.set(print(node), { name: node.name, values });
    }
    partsOf(node).forEach(visit);
  };
  visit(tree);
  return { fields: [...fields], lists: [...lists], calls: [...calls.values()] };
}
