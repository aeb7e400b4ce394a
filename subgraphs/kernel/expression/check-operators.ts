import { type Checking, unknownValue } from "./checking.ts";
import { nearest } from "./nearest.ts";
import type { Arithmetic, Compare, Match, Node, Operation } from "./syntax.ts";
import { type Kind, nameOf, type Type } from "./values.ts";

export const isNumber = ({ kind }: Type): boolean => kind === "integer" || kind === "decimal";

/** How to mend a comparison of a kind with something else. */
const MENDED: Readonly<Record<Kind, string>> = {
  text: 'a text is compared with a text in double quotes: "abc"',
  integer: "a number is compared with a number",
  decimal: "a number is compared with a number",
  boolean: "a condition stands alone: x, or not x",
  money: "an amount is compared with an amount and its currency: 100.00 EUR",
  instant: 'a moment is compared with a moment: instant("2026-01-31")',
  duration: "a duration is compared with a duration: 90s, 30m, 24h, 7d",
  texts: 'a list is looked into: "abc" in x',
};

/** Whether two types can be compared with each other; tells why not. */
export function comparable(left: Type, right: Type, at: Node["at"], { refuse }: Checking): boolean {
  if (isNumber(left) && isNumber(right)) return true;
  if (left.kind !== right.kind) {
    const mend = MENDED[left.kind === "text" || isNumber(left) ? right.kind : left.kind];
    refuse("TYPES_DIFFER", `${nameOf(left)} is never ${nameOf(right)}; ${mend}`, at);
    return false;
  }
  if (left.kind === "texts") return refuse("NOT_POSSIBLE", MENDED.texts, at) !== null;
  if (left.currency === undefined || right.currency === undefined || left.currency === right.currency)
    return true;
  const message = `amounts in ${left.currency} and ${right.currency} cannot be compared; nothing converts them`;
  return refuse("CURRENCIES_DIFFER", message, at) !== null;
}

/** Like `typeOf`; for a name beside a text, which nobody knows, it says that quotes are missing. */
function typeBeside(other: Type | null, node: Node, checking: Checking): Type | null {
  const unknown = node.kind === "name" && !checking.environment.fields.has(node.name);
  if (!unknown || other?.kind !== "text") return checking.typeOf(node);
  const value = nearest(node.name, other.values ?? []) ?? node.name;
  const message = `there is no "${node.name}"; if text is meant, write it in double quotes: "${value}"`;
  return checking.refuse("UNKNOWN_NAME", message, node.at);
}

export function checkComparison({ operator, left, right, at }: Compare, checking: Checking): void {
  const first = checking.typeOf(left);
  const second = typeBeside(first, right, checking);
  if (first === null || second === null || !comparable(first, second, at, checking)) return;
  const ordered = operator !== "==" && operator !== "!=";
  if (ordered && first.kind === "text")
    checking.refuse("NOT_POSSIBLE", 'texts have no order; for digits write a range: x in "40".."49"', at);
  else if (ordered && first.kind === "boolean")
    checking.refuse("NOT_POSSIBLE", "conditions are equal or not, and have no order", at);
  else if (!unknownValue(left, second, checking)) unknownValue(right, first, checking);
}

export function checkMatch({ operator, left, right }: Match, checking: Checking): void {
  const first = checking.typeOf(left);
  const second = typeBeside(first, right, checking);
  if (first?.kind === "texts" && operator === "contains") {
    checking.refuse("NOT_POSSIBLE", MENDED.texts, left.at);
    return;
  }
  for (const [type, node] of [[first, left] as const, [second, right] as const])
    if (type !== null && type.kind !== "text")
      checking.refuse("TYPES_DIFFER", `"${operator}" is for texts, and this is ${nameOf(type)}`, node.at);
  if (operator === "like" && right.kind !== "text")
    checking.refuse("LITERAL_NEEDED", 'a pattern is written as it is: x like "ab*"', right.at);
}

/** What comes of an operation between two kinds; what is not here is not possible. */
const RESULTS: Readonly<Record<Operation, Readonly<Record<string, Kind>>>> = {
  "+": {
    "money money": "money",
    "duration duration": "duration",
    "instant duration": "instant",
    "duration instant": "instant",
  },
  "-": {
    "money money": "money",
    "duration duration": "duration",
    "instant duration": "instant",
    "instant instant": "duration",
  },
  "*": {
    "money integer": "money",
    "integer money": "money",
    "duration integer": "duration",
    "integer duration": "duration",
  },
  "/": {},
};

export function checkArithmetic(node: Arithmetic, checking: Checking): Type | null {
  const { operator, left, right, at } = node;
  const [first, second] = [checking.typeOf(left), checking.typeOf(right)];
  if (first === null || second === null) return null;
  if (isNumber(first) && isNumber(second)) {
    const whole = operator !== "/" && first.kind === "integer" && second.kind === "integer";
    return { kind: whole ? "integer" : "decimal" };
  }
  const kind = RESULTS[operator][`${first.kind} ${second.kind}`];
  if (kind === undefined) return checking.refuse("NOT_POSSIBLE", notPossible(operator, first, second), at);
  if (kind !== "money") return { kind };
  if (first.kind === "money" && second.kind === "money" && !comparable(first, second, at, checking))
    return null;
  return { kind, currency: first.currency ?? second.currency };
}

function notPossible(operator: Operation, first: Type, second: Type): string {
  const kinds = [first.kind, second.kind];
  if (kinds.includes("money") && operator === "/")
    return "amounts are not divided; multiply the other side: x > y * 3 instead of x / y > 3";
  if (kinds.includes("money") && kinds.includes("decimal"))
    return "an amount is multiplied by whole numbers only, so that nothing is rounded";
  if (kinds.includes("money") && kinds.includes("integer"))
    return "a number is no amount: write its currency, as in 5.00 EUR";
  if (kinds.includes("text")) return "nothing is worked out with texts";
  return `"${operator}" is not possible between ${nameOf(first)} and ${nameOf(second)}`;
}
