import { order } from "./constants.ts";
import type { Emitting, Evaluate } from "./emitting.ts";
import { LIMITS } from "./limits.ts";
import type { Arithmetic, Compare, Comparison, Match, Node, Operation, TextMatch } from "./syntax.ts";
import { type Amount, FARTHEST_INSTANT_MS, integer, type Kind, type Value } from "./values.ts";

/** Not unknown is unknown. */
export const negated = (value: Value | undefined): boolean | undefined =>
  value === undefined ? undefined : value !== true;

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

export function emitComparison<F>(
  { operator, left, right }: Compare,
  { typeOf, emit }: Emitting<F>,
): Evaluate<F> {
  const [first, second] = [emit(left), emit(right)];
  const kind = typeOf(left).kind;
  // Each value but an amount has one form, so `===` is enough; an integer may also stand beside a decimal.
  if (kind === typeOf(right).kind && kind !== "money" && (operator === "==" || operator === "!=")) {
    const equal = operator === "==";
    return (facts) => {
      const [a, b] = [first(facts), second(facts)];
      return a === undefined || b === undefined ? undefined : (a === b) === equal;
    };
  }
  const holds = HOLDS[operator];
  return (facts) => {
    const [a, b] = [first(facts), second(facts)];
    if (a === undefined || b === undefined) return undefined;
    const sign = order(a, b);
    return sign === undefined ? undefined : holds(sign);
  };
}

const MATCHES: Readonly<Record<Exclude<TextMatch, "like">, (text: string, part: string) => boolean>> = {
  "starts with": (text, part) => text.startsWith(part),
  "ends with": (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
};

export function emitMatch<F>({ operator, left, right }: Match, { emit }: Emitting<F>): Evaluate<F> {
  const [first, second] = [emit(left), emit(right)];
  const pattern = operator === "like" && right.kind === "text" ? like(right.value) : undefined;
  const matches = pattern ?? MATCHES[operator as Exclude<TextMatch, "like">];
  return (facts) => {
    const [text, part] = [first(facts), second(facts)];
    if (typeof text !== "string" || typeof part !== "string") return undefined;
    if (text.length > LIMITS.factLength || part.length > LIMITS.factLength) return undefined;
    return matches(text, part);
  };
}

/**
 * A pattern in which * stands for any characters, none among them. Each part is looked for behind the one before, at
 * the first place that it has: that never excludes a match, so nothing is tried twice.
 */
export function like(pattern: string): (text: string) => boolean {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    const end = text.length - last.length;
    let at = first.length;
    if (end < at || !text.startsWith(first) || !text.endsWith(last)) return false;
    for (const part of others) {
      const found = text.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

type Work = (left: Value, right: Value) => Value | undefined;

const exact: Readonly<Record<Exclude<Operation, "/">, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
};
const floating: Readonly<Record<Operation, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** Integers are exact however large: as numbers where the result is safe, else as bigints. */
function integers(operator: Exclude<Operation, "/">): Work {
  const [fast, slow] = [floating[operator], exact[operator]];
  return (left, right) => {
    if (typeof left === "number" && typeof right === "number") {
      const result = fast(left, right);
      if (Number.isSafeInteger(result)) return result;
    }
    return integer(slow(BigInt(left as number | bigint), BigInt(right as number | bigint)));
  };
}

/** Decimals, instants and durations are numbers; a result outside of `limit` (a division by 0 too) is unknown. */
function numbers(operator: Operation, limit: number): Work {
  const operate = floating[operator];
  return (left, right) => {
    const result = operate(Number(left), Number(right));
    return Math.abs(result) <= limit ? result : undefined;
  };
}

/** Amounts of one currency, or an amount times a whole number; amounts of two currencies give nothing. */
function amounts(operator: Exclude<Operation, "/">): Work {
  const operate = exact[operator];
  return (left, right) => {
    if (typeof left === "object" && typeof right === "object") {
      const [a, b] = [left as Amount, right as Amount];
      if (a.currency !== b.currency) return undefined;
      return { minor: operate(a.minor, b.minor), currency: a.currency };
    }
    const [amount, times] = typeof left === "object" ? [left, right] : [right, left];
    const { minor, currency } = amount as Amount;
    return { minor: minor * BigInt(times as number | bigint), currency };
  };
}

function workOf(operator: Operation, result: Kind): Work {
  if (result === "instant") return numbers(operator, FARTHEST_INSTANT_MS);
  if (operator === "/") return numbers(operator, Number.MAX_VALUE);
  if (result === "money") return amounts(operator);
  return result === "integer" ? integers(operator) : numbers(operator, Number.MAX_VALUE);
}

type Signed = Extract<Node, { kind: "negative" }>;

export function emitArithmetic<F>(node: Arithmetic | Signed, { typeOf, emit }: Emitting<F>): Evaluate<F> {
  const kind = typeOf(node).kind;
  if (node.kind === "negative") {
    const [operand, work] = [emit(node.operand), workOf("*", kind)];
    return (facts) => {
      const value = operand(facts);
      return value === undefined ? undefined : work(value, -1);
    };
  }
  const [first, second, work] = [emit(node.left), emit(node.right), workOf(node.operator, kind)];
  return (facts) => {
    const [a, b] = [first(facts), second(facts)];
    return a === undefined || b === undefined ? undefined : work(a, b);
  };
}
