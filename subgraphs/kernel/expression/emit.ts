import type { Types } from "./check.ts";
import { constantOf } from "./constants.ts";
import type { Parameter } from "./declaration.ts";
import { emitMembership } from "./emit-membership.ts";
import { emitArithmetic, emitComparison, emitMatch, negated } from "./emit-operators.ts";
import { type Emitting, type Evaluate, faulty } from "./emitting.ts";
import type { Environment } from "./environment.ts";
import type { Call, Junction, Name, Node } from "./syntax.ts";
import { accept, type Type, type Value } from "./values.ts";

/**
 * Turns a checked tree into functions that call each other: one for each node, made once. Nothing is made from text
 * (workerd forbids it) and no function throws: what the environment gave us to call is called with care.
 * Gives the function of every node; what explains a decision asks them one by one.
 */
export function emit<F>(
  tree: Node,
  types: Types,
  environment: Environment<F>,
): ReadonlyMap<Node, Evaluate<F>> {
  const made = new Map<Node, Evaluate<F>>();
  const emitting: Emitting<F> = {
    environment,
    typeOf: (node) => types.get(node) as Type,
    emit: (node) => {
      const evaluate = emitNode(node, emitting);
      made.set(node, evaluate);
      return evaluate;
    },
  };
  emitting.emit(tree);
  return made;
}

function emitNode<F>(node: Node, emitting: Emitting<F>): Evaluate<F> {
  switch (node.kind) {
    case "name":
      return emitName(node, emitting);
    case "call":
      return emitCall(node, emitting);
    case "and":
    case "or":
      return emitJunction(node, emitting);
    case "not": {
      const operand = emitting.emit(node.operand);
      return (facts) => negated(operand(facts));
    }
    case "compare":
      return emitComparison(node, emitting);
    case "match":
      return emitMatch(node, emitting);
    case "in":
      return emitMembership(node, emitting);
    case "is": {
      const operand = emitting.emit(node.operand);
      const { missing } = node;
      return (facts) => (operand(facts) === undefined) === missing;
    }
    case "arithmetic":
    case "negative":
      return emitArithmetic(node, emitting);
    default: {
      const constant = constantOf(node);
      return () => constant;
    }
  }
}

function emitName<F>({ name }: Name, { environment }: Emitting<F>): Evaluate<F> {
  const field = environment.fields.get(name);
  if (field === undefined) return () => undefined;
  const { read, type } = field;
  const taken = accept[type.kind];
  return (facts) => {
    try {
      return taken(read(facts));
    } catch (error) {
      return faulty(environment, name, error);
    }
  };
}

function emitCall<F>(node: Call, { environment, emit }: Emitting<F>): Evaluate<F> {
  const declared = environment.functions.get(node.name);
  if (declared === undefined) return () => undefined;
  const { call } = declared;
  const taken = accept[declared.gives.kind];
  const given = node.arguments.map((argument, index) =>
    asDeclared(declared.parameters[index], emit(argument)),
  );
  return (facts) => {
    const values: Value[] = [];
    for (const evaluate of given) {
      const value = evaluate(facts);
      if (value === undefined) return undefined;
      values.push(value);
    }
    try {
      return taken(call(facts, ...values));
    } catch (error) {
      return faulty(environment, node.name, error);
    }
  };
}

/** A whole number that is given for a decimal becomes one. */
function asDeclared<F>(parameter: Parameter | undefined, evaluate: Evaluate<F>): Evaluate<F> {
  if (parameter?.kind !== "decimal") return evaluate;
  return (facts) => {
    const value = evaluate(facts);
    return value === undefined ? undefined : Number(value);
  };
}

/**
 * `and` is false as soon as one part is false, `or` true as soon as one is true, whatever is unknown of the others;
 * otherwise one unknown part makes the whole unknown (Kleene's logic, as in SQL).
 */
function emitJunction<F>({ kind, parts }: Junction, { emit }: Emitting<F>): Evaluate<F> {
  const decisive = kind === "or";
  const made = parts.map(emit);
  return (facts) => {
    let unknown = false;
    for (const part of made) {
      const value = part(facts);
      if (value === decisive) return decisive;
      if (value === undefined) unknown = true;
    }
    return unknown ? undefined : !decisive;
  };
}
