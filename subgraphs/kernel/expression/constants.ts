import { instantMs, type Literal, UNIT_MS } from "./syntax.ts";
import { type Amount, integer, type Value } from "./values.ts";

/** What a literal stands for. */
export function constantOf(literal: Literal): Value {
  switch (literal.kind) {
    case "text":
    case "boolean":
      return literal.value;
    case "integer":
      return integer(literal.value);
    case "decimal":
      return Number(literal.digits);
    case "money":
      return { minor: literal.minor, currency: literal.currency };
    case "duration":
      return literal.count * UNIT_MS[literal.unit];
    case "instant":
      return instantMs(literal.text) as number;
  }
}

/**
 * The order of two values of comparable types: negative, 0 or positive. Undefined for amounts in two currencies:
 * nothing here converts. Texts go by UTF-16 code units.
 */
export function order(left: Value, right: Value): number | undefined {
  if (typeof left === "object") {
    const [first, second] = [left as Amount, right as Amount];
    if (first.currency !== second.currency) return undefined;
    return first.minor < second.minor ? -1 : first.minor > second.minor ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}
