/**
 * What an expression may be at most. Everything that a stranger writes is bounded before it is looked at, so compiling
 * takes milliseconds at worst, and evaluating what was compiled is bounded by `cost`.
 */
export const LIMITS = {
  /** UTF-16 code units of one expression. */
  textLength: 4_096,
  /** Nodes of the syntax tree, items of lists among them. */
  nodes: 512,
  /** Levels of the syntax tree: the deepest recursion of the parser, the compiler and the evaluation. */
  depth: 32,
  listItems: 256,
  /** UTF-16 code units of one quoted text. */
  literalLength: 256,
  /** Digits of one number. */
  digits: 18,
  arguments: 8,
  /** Steps of one evaluation (cost.ts), unless the environment says otherwise. */
  cost: 2_000,
  /** Mistakes told at once. */
  errors: 10,
  /** A longer text among the facts is not searched: what would search it is unknown. */
  factLength: 4_096,
  /** A list of texts among the facts that has more items is taken for missing. */
  factItems: 1_000,
  /** UTF-16 code units of a rule set. */
  ruleSetLength: 65_536,
  rules: 200,
  /** Targets of one rule's action. */
  targets: 32,
  /** Steps of one evaluation of all rules of a set. */
  ruleSetCost: 20_000,
} as const;
