import { checkMembership } from "./check-membership.ts";
import { checkArithmetic, checkComparison, checkMatch } from "./check-operators.ts";
import { type Checking, unknownValue } from "./checking.ts";
import type { Parameter } from "./declaration.ts";
import type { Environment } from "./environment.ts";
import type { Fault } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { suggestion } from "./nearest.ts";
import { type Call, isLiteral, type Literal, type Name, type Node } from "./syntax.ts";
import { nameOf, type Type } from "./values.ts";

/** The type of every node of a tree that has no faults. */
export type Types = ReadonlyMap<Node, Type>;

const BOOLEAN: Type = { kind: "boolean" };

/** Gives every node its type, or all faults of typing (the first LIMITS.errors). The whole must be a condition. */
export function check<F>(tree: Node, environment: Environment<F>): Types | readonly Fault[] {
  const types = new Map<Node, Type>();
  const faults: Fault[] = [];
  const checking: Checking = {
    // Types are all that the check looks at: nothing is read or called with facts.
    environment,
    typeOf: (node) => {
      const type = typeOf(node, checking);
      if (type !== null) types.set(node, type);
      return type;
    },
    refuse: (code, message, at) => {
      if (faults.length < LIMITS.errors) faults.push({ code, message, at });
      return null;
    },
  };
  condition(tree, checking);
  return faults.length > 0 ? faults : types;
}

function typeOf(node: Node, checking: Checking): Type | null {
  switch (node.kind) {
    case "name":
      return typeOfName(node, checking);
    case "call":
      return typeOfCall(node, checking);
    case "and":
    case "or":
      for (const part of node.parts) condition(part, checking);
      return BOOLEAN;
    case "not":
      condition(node.operand, checking);
      return BOOLEAN;
    case "compare":
      checkComparison(node, checking);
      return BOOLEAN;
    case "match":
      checkMatch(node, checking);
      return BOOLEAN;
    case "in":
      checkMembership(node, checking);
      return BOOLEAN;
    case "is":
      checkPresence(node.operand, checking);
      return BOOLEAN;
    case "arithmetic":
      return checkArithmetic(node, checking);
    case "negative": {
      const type = checking.typeOf(node.operand);
      if (type === null || ["integer", "decimal", "money", "duration"].includes(type.kind)) return type;
      return checking.refuse("NOT_POSSIBLE", `${nameOf(type)} has no opposite`, node.at);
    }
    default:
      return typeOfLiteral(node);
  }
}

function typeOfLiteral(literal: Literal): Type {
  return literal.kind === "money" ? { kind: "money", currency: literal.currency } : { kind: literal.kind };
}

const COMPARED: Readonly<Record<Exclude<Type["kind"], "boolean">, string>> = {
  text: 'compare it, as in x == "abc"',
  integer: "compare it, as in x > 5",
  decimal: "compare it, as in x > 0.5",
  money: "compare it, as in x > 100.00 EUR",
  instant: 'compare it, as in x > instant("2026-01-31")',
  duration: "compare it, as in x < 24h",
  texts: 'look into it, as in "abc" in x',
};

function condition(node: Node, checking: Checking): void {
  const type = checking.typeOf(node);
  if (type === null || type.kind === "boolean") return;
  const message = `a condition should be here, and this is ${nameOf(type)}: ${COMPARED[type.kind]}`;
  checking.refuse("NOT_A_CONDITION", message, node.at);
}

function typeOfName({ name, at }: Name, { environment, refuse }: Checking): Type | null {
  const declared = environment.fields.get(name);
  if (declared !== undefined) return declared.type;
  if (environment.functions.has(name))
    return refuse("UNKNOWN_NAME", `"${name}" is a function: write ${name}(...)`, at);
  const quoted = /^[A-Z0-9_]+$/.test(name) ? `; if text is meant, write "${name}" in double quotes` : "";
  const near = suggestion(name, environment.fields.keys());
  return refuse("UNKNOWN_NAME", `there is no "${name}"${near || quoted}`, at);
}

function typeOfCall(call: Call, checking: Checking): Type | null {
  const { environment, refuse } = checking;
  const declared = environment.functions.get(call.name);
  if (declared === undefined) {
    for (const argument of call.arguments) checking.typeOf(argument);
    const near = suggestion(call.name, [...environment.functions.keys(), "instant"]);
    return refuse("UNKNOWN_FUNCTION", `there is no function "${call.name}"${near}`, call.at);
  }
  const { parameters, gives } = declared;
  if (call.arguments.length !== parameters.length) {
    const wanted = parameters.map((parameter) => parameter.name).join(", ");
    return refuse("WRONG_ARGUMENTS", `write ${call.name}(${wanted})`, call.at);
  }
  const right = call.arguments.map((argument, index) =>
    checkArgument(argument, parameters[index] as Parameter, checking),
  );
  return right.every(Boolean) ? gives : null;
}

function checkArgument(argument: Node, parameter: Parameter, checking: Checking): boolean {
  const { typeOf, refuse } = checking;
  const type = typeOf(argument);
  if (type === null) return false;
  const wanted = `"${parameter.name}" is ${nameOf(parameter)}`;
  const widened = type.kind === "integer" && parameter.kind === "decimal";
  if (type.kind !== parameter.kind && !widened)
    return refuse("WRONG_ARGUMENTS", `${wanted}, and this is ${nameOf(type)}`, argument.at) !== null;
  if (parameter.literal === true && !isLiteral(argument))
    return refuse("LITERAL_NEEDED", `${wanted} that is written here as it is`, argument.at) !== null;
  if (unknownValue(argument, parameter, checking)) return false;
  if (parameter.currency !== undefined && type.currency !== undefined && parameter.currency !== type.currency)
    return refuse("CURRENCIES_DIFFER", `${wanted}, and this is ${nameOf(type)}`, argument.at) !== null;
  return true;
}

function checkPresence(operand: Node, { environment, typeOf, refuse }: Checking): void {
  if (typeOf(operand) === null) return;
  if (operand.kind === "call") return;
  if (operand.kind !== "name")
    refuse("NOT_POSSIBLE", "only a field or a function's answer can be missing", operand.at);
  else if (environment.fields.get(operand.name)?.optional === false)
    refuse("ALWAYS_PRESENT", `"${operand.name}" is never missing`, operand.at);
}
