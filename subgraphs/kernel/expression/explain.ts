import { isCurrency } from "../currency.ts";
import { formatMoney, moneyOf } from "../money.ts";
import type { Types } from "./check.ts";
import type { Evaluate } from "./emitting.ts";
import { print, printText } from "./print.ts";
import { type DurationUnit, type Node, partsOf, type Span, UNIT_MS } from "./syntax.ts";
import type { Amount, Kind, Value } from "./values.ts";

/** `unknown`: something that would have to be known is missing. A rule acts only where its condition holds. */
export type Outcome = "holds" | "does not hold" | "unknown";

/** One condition, what came of it, and why: what it was made from. */
export type Explanation = {
  readonly outcome: Outcome;
  /** The condition, written the canonical way, and where it stands in the source. */
  readonly text: string;
  readonly at: Span;
  /** Fields and function calls of a condition that has no parts; `value` as it would be written, null if missing. */
  readonly facts: readonly { readonly name: string; readonly value: string | null }[];
  /** The parts of `and`, `or` and `not`. */
  readonly kind: "and" | "or" | "not" | "condition";
  readonly parts: readonly Explanation[];
};

export const outcomeOf = (value: Value | undefined): Outcome =>
  value === undefined ? "unknown" : value === true ? "holds" : "does not hold";

/** What came of a condition and all its parts; all are evaluated, also those that could no longer change anything. */
export function explain<F>(
  node: Node,
  made: ReadonlyMap<Node, Evaluate<F>>,
  types: Types,
  facts: F,
): Explanation {
  const outcome = outcomeOf(made.get(node)?.(facts));
  const { at } = node;
  if (node.kind === "and" || node.kind === "or" || node.kind === "not") {
    const parts = partsOf(node).map((part) => explain(part, made, types, facts));
    return { outcome, text: print(node), at, facts: [], kind: node.kind, parts };
  }
  const named = sourcesOf(node).map((source) => {
    const value = made.get(source)?.(facts);
    const kind = types.get(source)?.kind;
    const shown = value === undefined || kind === undefined ? null : formatValue(value, kind);
    return { name: print(source), value: shown };
  });
  return { outcome, text: print(node), at, facts: named, kind: "condition", parts: [] };
}

/** Fields and calls that a node is made from, each once, in the order of the text. */
function sourcesOf(node: Node): readonly Node[] {
  if (node.kind === "name" || node.kind === "call") return [node];
  const seen = new Map<string, Node>();
  for (const source of partsOf(node).flatMap(sourcesOf))
    if (!seen.has(print(source))) seen.set(print(source), source);
  return [...seen.values()];
}

/** A value as an expression would write it. */
export function formatValue(value: Value, kind: Kind): string {
  if (typeof value === "string") return printText(value);
  if (kind === "duration") return formatDuration(Number(value));
  if (kind === "instant") return new Date(Number(value)).toISOString();
  if (typeof value !== "object") return String(value);
  if (kind === "money") return formatAmount(value as Amount);
  const items = [...(value as Iterable<unknown>)].slice(0, 10);
  return `[${items.map((item) => (typeof item === "string" ? printText(item) : "?")).join(", ")}]`;
}

const LARGEST_MINOR = 2n ** 62n;

function formatAmount({ minor, currency }: Amount): string {
  const plain = minor >= -LARGEST_MINOR && minor <= LARGEST_MINOR;
  return plain && isCurrency(currency)
    ? formatMoney(moneyOf(minor, currency))
    : `${minor} minor units of ${currency}`;
}

function formatDuration(ms: number): string {
  const units: readonly DurationUnit[] = ["d", "h", "m", "s"];
  const unit = units.find((each) => ms !== 0 && ms % UNIT_MS[each] === 0) ?? "ms";
  return `${ms / UNIT_MS[unit]}${unit}`;
}

/**
 * The conditions that made the outcome what it is, in words: of an `and` that holds all parts, of one that does not
 * hold those that failed, and the other way round for `or`. For people who ask why a rule spoke or was silent.
 */
export function reasons(explanation: Explanation): readonly string[] {
  const { kind, outcome, parts } = explanation;
  if (kind === "condition") return [reason(explanation)];
  if (kind === "not") return parts.flatMap(reasons);
  return parts.filter((part) => part.outcome === outcome).flatMap(reasons);
}

const VERBS: Readonly<Record<Outcome, string>> = {
  holds: "holds",
  "does not hold": "does not hold",
  unknown: "cannot be told",
};

function reason({ text, outcome, facts }: Explanation): string {
  const given = facts.map(({ name, value }) => `${name} is ${value ?? "missing"}`);
  return `${text} ${VERBS[outcome]}${given.length === 0 ? "" : `: ${given.join(", ")}`}`;
}
