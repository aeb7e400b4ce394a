import { instantMs, type Literal, type Node, UNIT_MS } from "../syntax.ts";
import type { ExampleFacts } from "./example.ts";

/**
 * The language told a second time, as plainly as can be, over the facts of `example.ts`: what compiled expressions are
 * compared with. Every value carries what it is; integers are bigints; null is unknown or missing.
 */
type Told =
  | { readonly is: "text"; readonly v: string }
  | { readonly is: "integer"; readonly v: bigint }
  | { readonly is: "decimal"; readonly v: number }
  | { readonly is: "boolean"; readonly v: boolean }
  | { readonly is: "money"; readonly v: bigint; readonly currency: string }
  | { readonly is: "instant"; readonly v: number }
  | { readonly is: "duration"; readonly v: number }
  | { readonly is: "texts"; readonly v: readonly string[] };

const truth = (v: boolean | null): Told | null => (v === null ? null : { is: "boolean", v });
const text = (v: unknown): Told | null => (typeof v === "string" ? { is: "text", v } : null);
const number = (v: unknown, is: "decimal" | "duration" | "instant"): Told | null =>
  typeof v === "number" && Number.isFinite(v) ? { is, v } : null;
const whole = (v: unknown): Told | null =>
  typeof v === "bigint" || Number.isSafeInteger(v) ? { is: "integer", v: BigInt(v as number) } : null;
const moment = (v: Date | number | null): Told | null =>
  number(v instanceof Date ? v.getTime() : v, "instant");
const money = (v: ExampleFacts["amount"]): Told | null =>
  v === null ? null : { is: "money", v: v.minor, currency: v.currency };

function field(name: string, facts: ExampleFacts): Told | null {
  switch (name) {
    case "card.brand":
      return text(facts.card.brand);
    case "card.country":
      return text(facts.card.country);
    case "card.funding":
      return text(facts.card.funding);
    case "card.bin":
      return text(facts.card.bin);
    case "amount":
      return money(facts.amount);
    case "fee":
      return money(facts.fee);
    case "currency":
      return text(facts.currency);
    case "payment.recurring":
      return truth(facts.payment.recurring);
    case "payment.attempt":
      return whole(facts.payment.attempt);
    case "payer.country":
      return text(facts.payer.country);
    case "payer.email":
      return text(facts.payer.email);
    case "customer.since":
      return moment(facts.customer.since);
    case "customer.tags":
      return facts.customer.tags === null ? null : { is: "texts", v: facts.customer.tags };
    case "now":
      return moment(facts.now);
    case "latency":
      return number(facts.latency, "duration");
    case "distance_km":
      return number(facts.distance_km, "decimal");
    default:
      throw new Error(`no field ${name}`);
  }
}

function literal(node: Literal): Told {
  switch (node.kind) {
    case "text":
      return { is: "text", v: node.value };
    case "integer":
      return { is: "integer", v: node.value };
    case "decimal":
      return { is: "decimal", v: Number(node.digits) };
    case "boolean":
      return { is: "boolean", v: node.value };
    case "money":
      return { is: "money", v: node.minor, currency: node.currency };
    case "duration":
      return { is: "duration", v: node.count * UNIT_MS[node.unit] };
    case "instant":
      return { is: "instant", v: instantMs(node.text) as number };
  }
}

/** -1, 0, 1, or null where two values have no order. */
function order(a: Told, b: Told): number | null {
  if (a.is === "money" && b.is === "money" && a.currency !== b.currency) return null;
  if (a.is === "texts" || b.is === "texts") throw new Error("lists have no order");
  return a.v === b.v ? 0 : a.v < b.v ? -1 : a.v > b.v ? 1 : 0;
}

const and = (parts: readonly (boolean | null)[]): boolean | null =>
  parts.includes(false) ? false : parts.includes(null) ? null : true;
const or = (parts: readonly (boolean | null)[]): boolean | null =>
  parts.includes(true) ? true : parts.includes(null) ? null : false;
const not = (v: boolean | null): boolean | null => (v === null ? null : !v);

/** What an expression comes to: true, false, or null for unknown. */
export function interpret(node: Node, facts: ExampleFacts): boolean | null {
  const told = value(node, facts);
  if (told === null) return null;
  if (told.is !== "boolean") throw new Error(`not a condition: ${told.is}`);
  return told.v;
}

function value(node: Node, facts: ExampleFacts): Told | null {
  switch (node.kind) {
    case "name":
      return field(node.name, facts);
    case "call":
      return call(
        node.name,
        node.arguments.map((argument) => value(argument, facts)),
        facts,
      );
    case "and":
      return truth(and(node.parts.map((part) => interpret(part, facts))));
    case "or":
      return truth(or(node.parts.map((part) => interpret(part, facts))));
    case "not":
      return truth(not(interpret(node.operand, facts)));
    case "is":
      return truth((value(node.operand, facts) === null) === node.missing);
    case "compare": {
      const [a, b] = [value(node.left, facts), value(node.right, facts)];
      const sign = a === null || b === null ? null : order(a, b);
      if (sign === null) return null;
      const holds = { "==": [0], "!=": [-1, 1], "<": [-1], "<=": [-1, 0], ">": [1], ">=": [0, 1] };
      return truth(holds[node.operator].includes(sign));
    }
    case "match": {
      const [a, b] = [value(node.left, facts), value(node.right, facts)];
      if (a?.is !== "text" || b?.is !== "text") return null;
      if (node.operator === "starts with") return truth(a.v.slice(0, b.v.length) === b.v);
      if (node.operator === "ends with") return truth(b.v === "" || a.v.slice(-b.v.length) === b.v);
      if (node.operator === "contains") return truth(a.v.split(b.v).length > 1 || b.v === "");
      return truth(glob(b.v, a.v));
    }
    case "in":
      return truth(node.negated ? not(within(node, facts)) : within(node, facts));
    case "arithmetic":
      return work(node.operator, value(node.left, facts), value(node.right, facts));
    case "negative":
      return work("*", value(node.operand, facts), { is: "integer", v: -1n });
    default:
      return literal(node);
  }
}

/** A pattern against a text, letter by letter, trying everything. */
function glob(pattern: string, subject: string): boolean {
  if (pattern === "") return subject === "";
  if (pattern[0] === "*")
    return glob(pattern.slice(1), subject) || (subject !== "" && glob(pattern, subject.slice(1)));
  return pattern[0] === subject[0] && glob(pattern.slice(1), subject.slice(1));
}

function within({ item, collection }: Extract<Node, { kind: "in" }>, facts: ExampleFacts): boolean | null {
  const wanted = value(item, facts);
  switch (collection.kind) {
    case "list":
      return wanted === null ? null : collection.items.some((each) => order(wanted, literal(each)) === 0);
    case "named list":
      return wanted?.is === "text" ? facts.blocked.includes(wanted.v) : null;
    case "field list": {
      const list = value(collection.list, facts);
      return wanted?.is === "text" && list?.is === "texts" ? list.v.includes(wanted.v) : null;
    }
    case "range": {
      const ends = [value(collection.from, facts), value(collection.to, facts)];
      if (wanted === null) return null;
      const cut: Told =
        wanted.is === "text" && ends[0]?.is === "text"
          ? { is: "text", v: wanted.v.slice(0, ends[0].v.length) }
          : wanted;
      const [above, below] = ends.map((end) => (end === null ? null : order(cut, end))) as [
        number | null,
        number | null,
      ];
      return and([above === null ? null : above >= 0, below === null ? null : below <= 0]);
    }
  }
}

function call(name: string, values: readonly (Told | null)[], facts: ExampleFacts): Told | null {
  const [first, second] = values;
  if (values.includes(null)) return null;
  if (name === "velocity" && first?.is === "text" && second?.is === "duration")
    return whole(facts.counts[`${first.v} ${second.v / 3_600_000}h`]);
  if (name === "lower" && first?.is === "text")
    return text(Array.from(first.v, (c) => (c >= "A" && c <= "Z" ? c.toLowerCase() : c)).join(""));
  if (name === "length" && first?.is === "text") return whole(first.v.length);
  if (name === "hour_utc" && first?.is === "instant")
    return whole(new Date(Math.floor(first.v)).getUTCHours());
  if (name === "weekday_utc" && first?.is === "instant")
    return whole(new Date(Math.floor(first.v)).getUTCDay() || 7);
  throw new Error(`no function ${name}`);
}

function work(operator: "+" | "-" | "*" | "/", a: Told | null, b: Told | null): Told | null {
  if (a === null || b === null) return null;
  if (a.is === "money" || b.is === "money") return amounts(operator, a, b);
  if (a.is === "integer" && b.is === "integer" && operator !== "/")
    return { is: "integer", v: operator === "+" ? a.v + b.v : operator === "-" ? a.v - b.v : a.v * b.v };
  const [x, y] = [Number(a.v), Number(b.v)];
  const v = operator === "+" ? x + y : operator === "-" ? x - y : operator === "*" ? x * y : x / y;
  const kinds = [a.is, b.is];
  const is = kinds.includes("instant")
    ? a.is === b.is
      ? "duration"
      : "instant"
    : kinds.includes("duration")
      ? "duration"
      : "decimal";
  return is === "instant" && Math.abs(v) > 8.64e15 ? null : number(v, is);
}

function amounts(operator: string, a: Told, b: Told): Told | null {
  if (a.is === "money" && b.is === "money")
    return a.currency === b.currency ? { ...a, v: operator === "+" ? a.v + b.v : a.v - b.v } : null;
  const [amount, times] = a.is === "money" ? [a, b] : [b, a];
  if (amount.is !== "money" || times.is !== "integer") throw new Error("an amount times a whole number");
  return { ...amount, v: amount.v * times.v };
}
