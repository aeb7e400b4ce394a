import type { Environment } from "./environment.ts";
import { type Node, partsOf } from "./syntax.ts";

/** Steps of what looks through a text, and through a list of texts among the facts. */
const TEXT_SEARCH = 4;
const PATTERN = 8;
const LIST_SEARCH = 8;
const NAMED_LIST = 4;

/**
 * Steps that one evaluation takes at most, where a comparison takes one: known before anything is evaluated, since
 * there are no loops. What `and` and `or` save by stopping early is not counted.
 */
export function costOf<F>(node: Node, environment: Environment<F>): number {
  return partsOf(node).reduce((cost, part) => cost + costOf(part, environment), ownCost(node, environment));
}

function ownCost<F>(node: Node, environment: Environment<F>): number {
  switch (node.kind) {
    case "call":
      return environment.functions.get(node.name)?.cost ?? 1;
    case "match":
      return node.operator === "like" ? PATTERN : TEXT_SEARCH;
    case "in":
      if (node.collection.kind === "field list") return LIST_SEARCH;
      if (node.collection.kind === "named list")
        return environment.lists.get(node.collection.name)?.cost ?? NAMED_LIST;
      return node.collection.kind === "range" ? 2 : 1;
    case "arithmetic":
      return 2;
    default:
      return 1;
  }
}
