import type { Currency } from "../../currency.ts";
import type { Literal, Node } from "../syntax.ts";
import type { ExampleFacts } from "./example.ts";

/**
 * Well-typed expressions and facts made from a row of numbers: each choice takes the next one. A property's row that
 * gets shorter and smaller gives a simpler expression, so counterexamples shrink; when the row ends, all choices are
 * the first, which are leaves.
 */
export type Choose = (below: number) => number;

export function choices(row: readonly number[]): Choose {
  let next = 0;
  return (below) => (row[next++] ?? 0) % below;
}

const at = { start: 0, end: 0 };
const pick = <T>(choose: Choose, items: readonly T[]): T => items[choose(items.length)] as T;

const TEXTS = [
  "visa",
  "amex",
  "NL",
  "DE",
  "ada@example.com",
  "42424242",
  "40000000",
  "",
  'a"\\\n',
  "A*b",
  "\u200bé😀",
];
const AMOUNTS = [0n, 1n, 35n, 12_050n, 5_000n, 2n ** 53n, 10n ** 17n];
const CURRENCIES: readonly Currency[] = ["EUR", "USD", "JPY", "KWD"];
const INTEGERS = [0n, 1n, 3n, 4n, 24n, 2n ** 53n - 1n, 10n ** 17n];
const DECIMALS = ["0.0", "0.5", "12.5", "3.25", "0.1", "100000.75"];
const COUNTS = [0, 1, 24, 30, 240];
const UNITS = ["ms", "s", "m", "h", "d", "w"] as const;
const MOMENTS = ["2026-01-31", "2026-01-10T12:00:00Z", "1969-12-31T23:59:59.999Z", "2026-01-31T09:30+02:00"];
/** `card.brand` and `card.funding` are compared with what they can be, and made here only as fields. */
const BRANDS = ["visa", "mastercard", "amex", "discover", "jcb"];

const textOf = (value: string): Literal => ({ kind: "text", value, at });
const nameOf = (name: string): Node => ({ kind: "name", name, at });
const signed = (choose: Choose): boolean => choose(4) === 3;

const integerLiteral = (choose: Choose): Literal => {
  const value = pick(choose, INTEGERS);
  return { kind: "integer", value: signed(choose) ? -value : value, at };
};
const decimalLiteral = (choose: Choose): Literal => {
  const digits = pick(choose, DECIMALS);
  return { kind: "decimal", digits: signed(choose) ? `-${digits}` : digits, at };
};
const moneyLiteral = (choose: Choose, currency?: Currency): Literal => {
  const minor = pick(choose, AMOUNTS);
  return {
    kind: "money",
    minor: signed(choose) ? -minor : minor,
    currency: currency ?? pick(choose, CURRENCIES),
    at,
  };
};
const durationLiteral = (choose: Choose): Literal => {
  const count = pick(choose, COUNTS);
  return { kind: "duration", count: signed(choose) ? 0 - count : count, unit: pick(choose, UNITS), at };
};

type Make = (choose: Choose, depth: number) => Node;

const text: Make = (choose, depth) => {
  if (depth > 0 && choose(6) === 5)
    return { kind: "call", name: "lower", arguments: [text(choose, depth - 1)], at };
  return pick<() => Node>(choose, [
    () => nameOf(pick(choose, ["card.country", "card.bin", "currency", "payer.country", "payer.email"])),
    () => textOf(pick(choose, TEXTS)),
  ])();
};

const operation = (operator: "+" | "-" | "*" | "/", left: Node, right: Node): Node => ({
  kind: "arithmetic",
  operator,
  left,
  right,
  at,
});
/** The opposite of what is not a literal: literals carry their sign. */
const negative = (operand: Node, instead: Node): Node =>
  ["name", "call", "arithmetic", "negative"].includes(operand.kind)
    ? { kind: "negative", operand, at }
    : instead;

const integer: Make = (choose, depth) => {
  const leaf = (): Node =>
    pick<() => Node>(choose, [
      () => nameOf("payment.attempt"),
      () => integerLiteral(choose),
      () => velocity(choose),
    ])();
  if (depth <= 0) return leaf();
  return pick<() => Node>(choose, [
    leaf,
    () => operation(pick(choose, ["+", "-", "*"]), integer(choose, depth - 1), integer(choose, depth - 1)),
    () => negative(integer(choose, depth - 1), leaf()),
    () => ({ kind: "call", name: "length", arguments: [text(choose, depth - 1)], at }),
    () => ({
      kind: "call",
      name: pick(choose, ["hour_utc", "weekday_utc"]),
      arguments: [instant(choose, depth - 1)],
      at,
    }),
  ])();
};

const velocity = (choose: Choose): Node => ({
  kind: "call",
  name: "velocity",
  arguments: [
    textOf(pick(choose, ["card", "payer", "ip"])),
    { kind: "duration", count: pick(choose, [1, 24]), unit: "h", at },
  ],
  at,
});

const number: Make = (choose, depth) => {
  const leaf = (): Node =>
    pick<() => Node>(choose, [() => nameOf("distance_km"), () => decimalLiteral(choose)])();
  if (depth <= 0) return leaf();
  return pick<() => Node>(choose, [
    leaf,
    () => integer(choose, depth),
    () => operation(pick(choose, ["+", "-", "*", "/"]), number(choose, depth - 1), number(choose, depth - 1)),
    () => negative(number(choose, depth - 1), leaf()),
  ])();
};

/** Amounts of any currency that is only known when facts are, so that the check has nothing to say. */
const money: Make = (choose, depth) => {
  if (depth <= 0 || choose(3) === 0) return nameOf("amount");
  return pick<() => Node>(choose, [
    () => operation(pick(choose, ["+", "-"]), nameOf("amount"), moneyLiteral(choose)),
    () => operation("*", nameOf("amount"), integer(choose, depth - 1)),
    () => operation("*", integer(choose, depth - 1), nameOf("amount")),
    () => negative(nameOf("amount"), nameOf("amount")),
  ])();
};

const duration: Make = (choose, depth) => {
  const leaf = (): Node =>
    pick<() => Node>(choose, [() => nameOf("latency"), () => durationLiteral(choose)])();
  if (depth <= 0) return leaf();
  return pick<() => Node>(choose, [
    leaf,
    () => operation("-", instant(choose, depth - 1), instant(choose, depth - 1)),
    () => operation(pick(choose, ["+", "-"]), duration(choose, depth - 1), duration(choose, depth - 1)),
    () => operation("*", duration(choose, depth - 1), integer(choose, depth - 1)),
  ])();
};

const instant: Make = (choose, depth) => {
  const leaf = (): Node =>
    pick<() => Node>(choose, [
      () => nameOf(pick(choose, ["now", "customer.since"])),
      () => ({ kind: "instant", text: pick(choose, MOMENTS), at }),
    ])();
  if (depth <= 0 || choose(2) === 0) return leaf();
  return operation(pick(choose, ["+", "-"]), instant(choose, depth - 1), duration(choose, depth - 1));
};

const EQUAL = ["==", "!="] as const;
const ORDERED = [...EQUAL, "<", "<=", ">", ">="] as const;

const compare = (
  choose: Choose,
  make: Make,
  depth: number,
  operators: typeof ORDERED | typeof EQUAL,
): Node => ({
  kind: "compare",
  operator: pick(choose, operators),
  left: make(choose, depth),
  right: make(choose, depth),
  at,
});

const ranged = (choose: Choose, make: Make, depth: number): Node => {
  const [item, from] = [make(choose, depth), make(choose, depth)];
  // An end that is a field, so that the check cannot say that nothing is in the range.
  const to = make(() => 0, 0);
  const collection = { kind: "range" as const, from, to, at };
  return { kind: "in", negated: signed(choose), item, collection, at };
};

const listed = (choose: Choose, item: Node, make: (choose: Choose) => Literal): Node => {
  const items = Array.from({ length: choose(4) + 1 }, () => make(choose));
  return { kind: "in", negated: signed(choose), item, collection: { kind: "list", items, at }, at };
};

/** A condition of at most `depth` levels, counting roughly. */
export const condition: Make = (choose, depth) => {
  const leaves: readonly (() => Node)[] = [
    () => nameOf("payment.recurring"),
    () => compare(choose, text, depth - 1, EQUAL),
    () => compare(choose, integer, depth - 1, ORDERED),
    () => compare(choose, number, depth - 1, ORDERED),
    () => compare(choose, money, depth - 1, ORDERED),
    () => compare(choose, duration, depth - 1, ORDERED),
    () => compare(choose, instant, depth - 1, ORDERED),
    () =>
      ({
        ...compare(choose, () => nameOf("card.brand"), 0, EQUAL),
        right: textOf(pick(choose, BRANDS)),
      }) as Node,
    () => ({
      kind: "is",
      missing: choose(2) === 0,
      operand: nameOf(pick(choose, ["payer.country", "fee", "latency"])),
      at,
    }),
    () => ranged(choose, pick(choose, [number, money, duration, instant]), depth - 1),
    () => listed(choose, text(choose, depth - 1), () => textOf(pick(choose, TEXTS))),
    () => listed(choose, number(choose, depth - 1), pick(choose, [integerLiteral, decimalLiteral])),
    () => match(choose, depth),
    () => membership(choose, depth),
  ];
  if (depth <= 0) return pick(choose, leaves)();
  const made = choose(8);
  if (made === 5) return { kind: "not", operand: condition(choose, depth - 1), at };
  if (made < 6) return pick(choose, leaves)();
  const kind = made === 6 ? "and" : "or";
  const parts = Array.from({ length: choose(3) + 2 }, () => condition(choose, depth - 1));
  return { kind, parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])), at };
};

const match: Make = (choose, depth) => {
  const operator = pick(choose, ["starts with", "ends with", "contains", "like"] as const);
  const left = text(choose, depth - 1);
  const pattern = (): Literal =>
    textOf(pick(choose, ["*", "4*2", "*@*.com", "*2*4*", "4*24*42", "*a@*a*om", "a*", "visa", ""]));
  return { kind: "match", operator, left, right: operator === "like" ? pattern() : text(choose, 0), at };
};

const membership: Make = (choose, depth) => {
  const collection = pick(choose, [
    { kind: "named list" as const, name: "blocked_bins", at },
    { kind: "field list" as const, list: nameOf("customer.tags"), at },
    { kind: "range" as const, from: textOf("400000"), to: textOf("424242"), at },
  ]);
  return { kind: "in", negated: signed(choose), item: text(choose, depth - 1), collection, at };
};

/** Facts of which any may be missing, and whose amounts may be in several currencies. */
export function randomFacts(choose: Choose): ExampleFacts {
  const maybe = <T>(value: T): T | null => (choose(5) === 4 ? null : value);
  const anyText = (): string | null => maybe(pick(choose, TEXTS));
  const number = (): number => Number(pick(choose, DECIMALS)) * (signed(choose) ? -1 : 1);
  const ms = (): number => Date.parse(pick(choose, MOMENTS));
  return {
    card: { brand: maybe(pick(choose, BRANDS)), country: anyText(), funding: anyText(), bin: anyText() },
    amount: maybe({ minor: pick(choose, AMOUNTS), currency: pick(choose, CURRENCIES) }),
    fee: maybe({ minor: pick(choose, AMOUNTS), currency: "EUR" }),
    currency: anyText(),
    payment: { recurring: maybe(choose(2) === 1), attempt: maybe(pick(choose, INTEGERS)) },
    payer: { country: anyText(), email: anyText() },
    customer: { since: maybe(ms()), tags: maybe([pick(choose, TEXTS), pick(choose, TEXTS)]) },
    now: ms(),
    latency: maybe(number()),
    distance_km: maybe(number()),
    counts: { "card 1h": choose(5), "ip 24h": choose(5) },
    blocked: [pick(choose, TEXTS)],
  };
}
