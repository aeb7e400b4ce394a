import type { Currency } from "../currency.ts";

/** Where a part stands in the source: UTF-16 offsets, `end` excluded. */
export type Span = { readonly start: number; readonly end: number };
type At = { readonly at: Span };

export const spanning = (first: At, last: At): Span => ({ start: first.at.start, end: last.at.end });

/**
 * Control characters, and those that take no room or turn the direction of writing around: in an expression they are
 * written as escapes, since a reader would not see them, or see something else.
 */
export const UNSEEN = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

export type DurationUnit = "ms" | "s" | "m" | "h" | "d" | "w";

/** Milliseconds of each unit. A day is 24 hours: durations know no calendar. */
export const UNIT_MS: Readonly<Record<DurationUnit, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** What is written as it is. Numbers carry their sign; a decimal keeps its digits, since 0.10 is not a binary fraction. */
export type Literal = At &
  (
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "integer"; readonly value: bigint }
    | { readonly kind: "decimal"; readonly digits: string }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "money"; readonly minor: bigint; readonly currency: Currency }
    | { readonly kind: "duration"; readonly count: number; readonly unit: DurationUnit }
    | { readonly kind: "instant"; readonly text: string }
  );

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type TextMatch = "starts with" | "ends with" | "contains" | "like";
export type Operation = "+" | "-" | "*" | "/";

export type Name = At & { readonly kind: "name"; readonly name: string };
export type Call = At & {
  readonly kind: "call";
  readonly name: string;
  readonly arguments: readonly Node[];
};
/** `parts` are two or more, and none of them is of the same kind: a and (b and c) is a and b and c. */
export type Junction = At & { readonly kind: "and" | "or"; readonly parts: readonly Node[] };
export type Compare = At & {
  readonly kind: "compare";
  readonly operator: Comparison;
  readonly left: Node;
  readonly right: Node;
};
export type Match = At & {
  readonly kind: "match";
  readonly operator: TextMatch;
  readonly left: Node;
  readonly right: Node;
};
export type Arithmetic = At & {
  readonly kind: "arithmetic";
  readonly operator: Operation;
  readonly left: Node;
  readonly right: Node;
};
/** What `in` looks into: literals, a list of the merchant's, a range with both ends, or a list among the facts. */
export type Collection =
  | (At & { readonly kind: "list"; readonly items: readonly Literal[] })
  | (At & { readonly kind: "named list"; readonly name: string })
  | (At & { readonly kind: "range"; readonly from: Node; readonly to: Node })
  | (At & { readonly kind: "field list"; readonly list: Node });
export type Membership = At & {
  readonly kind: "in";
  readonly negated: boolean;
  readonly item: Node;
  readonly collection: Collection;
};

export type Node =
  | Literal
  | Name
  | Call
  | Junction
  | Compare
  | Match
  | Arithmetic
  | Membership
  | (At & { readonly kind: "not"; readonly operand: Node })
  /** Never of a literal: a literal carries its sign. */
  | (At & { readonly kind: "negative"; readonly operand: Node })
  | (At & { readonly kind: "is"; readonly missing: boolean; readonly operand: Node });

const LITERAL_KINDS: ReadonlySet<string> = new Set([
  "text",
  "integer",
  "decimal",
  "boolean",
  "money",
  "duration",
  "instant",
]);

export function isLiteral(node: Node): node is Literal {
  return LITERAL_KINDS.has(node.kind);
}

/** The nodes right below, in the order of the text; what is in a list of literals does not count. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "and":
    case "or":
      return node.parts;
    case "not":
    case "negative":
    case "is":
      return [node.operand];
    case "compare":
    case "match":
    case "arithmetic":
      return [node.left, node.right];
    case "call":
      return node.arguments;
    case "in": {
      const { item, collection } = node;
      if (collection.kind === "range") return [item, collection.from, collection.to];
      return collection.kind === "field list" ? [item, collection.list] : [item];
    }
    default:
      return [];
  }
}

/** Levels of the tree, 1 for a leaf. Recursion is bounded by LIMITS.nodes, which the parser keeps. */
export function depthOf(node: Node): number {
  return 1 + partsOf(node).reduce((deepest, part) => Math.max(deepest, depthOf(part)), 0);
}

/** Words with a meaning; names of fields, functions, lists and actions begin with none of them. */
export const WORDS: ReadonlySet<string> = new Set([
  "and",
  "or",
  "not",
  "in",
  "is",
  "missing",
  "present",
  "starts",
  "ends",
  "with",
  "contains",
  "like",
  "true",
  "false",
  "if",
]);

/** How names of fields, functions, lists, actions and targets are written; fields alone have dots. */
export const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Milliseconds since 1970 of an ISO 8601 day (its first moment in UTC) or a moment with its offset from UTC; null for
 * anything else, days that there are not among them.
 */
export function instantMs(text: string): number | null {
  const found = INSTANT.exec(text);
  if (found === null) return null;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  // The parser takes a 30th of February for a day in March; this arithmetic says which day it would be.
  const named = new Date(Date.UTC(year, month - 1, day));
  if (named.getUTCDate() !== day || Number(found[4] ?? 0) > 23) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}
