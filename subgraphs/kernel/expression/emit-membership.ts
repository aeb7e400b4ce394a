import { constantOf, order } from "./constants.ts";
import { negated } from "./emit-operators.ts";
import { type Emitting, type Evaluate, faulty } from "./emitting.ts";
import type { Collection, Membership, Node } from "./syntax.ts";
import type { Value } from "./values.ts";

export function emitMembership<F>(node: Membership, emitting: Emitting<F>): Evaluate<F> {
  const within = emitWithin(node, emitting);
  return node.negated ? (facts) => negated(within(facts)) : within;
}

function emitWithin<F>({ item, collection }: Membership, emitting: Emitting<F>): Evaluate<F> {
  const wanted = emitting.emit(item);
  switch (collection.kind) {
    case "list":
      return emitList(wanted, collection);
    case "range":
      return emitRange(wanted, collection, emitting);
    case "field list":
      return emitFieldList(wanted, collection.list, emitting);
    case "named list":
      return emitNamedList(wanted, collection.name, emitting);
  }
}

function emitList<F>(wanted: Evaluate<F>, { items }: Extract<Collection, { kind: "list" }>): Evaluate<F> {
  const constants = items.map(constantOf);
  const values: ReadonlySet<Value> = new Set(constants);
  return (facts) => {
    const value = wanted(facts);
    if (value === undefined) return undefined;
    if (values.has(value)) return true;
    // Beyond the safe integers a decimal can equal an integer that is kept as a bigint.
    const large = typeof value === "bigint" || (typeof value === "number" && !Number.isSafeInteger(value));
    return large && constants.some((constant) => order(value, constant) === 0);
  };
}

function emitRange<F>(
  wanted: Evaluate<F>,
  { from, to }: Extract<Collection, { kind: "range" }>,
  { emit }: Emitting<F>,
): Evaluate<F> {
  const [lower, upper] = [emit(from), emit(to)];
  // Texts are compared as far as the ends of the range go: "400000".."499999" is about the first six characters.
  const prefix = from.kind === "text" ? from.value.length : 0;
  return (facts) => {
    const found = wanted(facts);
    const value = typeof found === "string" ? found.slice(0, prefix) : found;
    const [least, most] = [lower(facts), upper(facts)];
    if (value === undefined) return undefined;
    const above = least === undefined ? undefined : order(value, least);
    const below = most === undefined ? undefined : order(value, most);
    // As `from <= x and x <= to`: outside of one end is outside, also where the other end is unknown.
    if ((above !== undefined && above < 0) || (below !== undefined && below > 0)) return false;
    return above === undefined || below === undefined ? undefined : true;
  };
}

function emitFieldList<F>(wanted: Evaluate<F>, list: Node, { emit }: Emitting<F>): Evaluate<F> {
  const among = emit(list);
  return (facts) => {
    const [value, items] = [wanted(facts), among(facts)];
    if (typeof value !== "string" || typeof items !== "object") return undefined;
    if (items instanceof Set) return items.has(value);
    return Array.isArray(items) ? items.includes(value) : undefined;
  };
}

function emitNamedList<F>(wanted: Evaluate<F>, name: string, { environment }: Emitting<F>): Evaluate<F> {
  const list = environment.lists.get(name);
  if (list === undefined) return () => undefined;
  return (facts) => {
    const value = wanted(facts);
    if (typeof value !== "string") return undefined;
    try {
      const has: unknown = list.has(facts, value);
      return typeof has === "boolean" ? has : undefined;
    } catch (error) {
      return faulty(environment, `@${name}`, error);
    }
  };
}
