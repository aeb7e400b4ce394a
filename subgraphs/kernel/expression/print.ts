import { formatMoney, moneyOf } from "../money.ts";
import { type Collection, type Literal, type Node, UNSEEN } from "./syntax.ts";

/** How tightly each kind of node binds; a part that binds less tightly than its place needs stands in parentheses. */
const BINDING = { or: 1, and: 2, not: 3, relation: 4, sum: 5, product: 6, unary: 7, whole: 8 } as const;

function bindingOf(node: Node): number {
  switch (node.kind) {
    case "or":
    case "and":
    case "not":
      return BINDING[node.kind];
    case "compare":
    case "match":
    case "in":
    case "is":
      return BINDING.relation;
    case "arithmetic":
      return node.operator === "+" || node.operator === "-" ? BINDING.sum : BINDING.product;
    case "negative":
      return BINDING.unary;
    default:
      return BINDING.whole;
  }
}

/**
 * The one way to write this tree: single spaces, no parentheses that are not needed. Reading it gives the same tree.
 */
export function print(node: Node): string {
  switch (node.kind) {
    case "or":
    case "and":
      return node.parts.map((part) => within(part, BINDING[node.kind] + 1)).join(` ${node.kind} `);
    case "not":
      return `not ${within(node.operand, BINDING.not)}`;
    case "compare":
    case "match":
      return `${within(node.left, BINDING.sum)} ${node.operator} ${within(node.right, BINDING.sum)}`;
    case "in":
      return `${within(node.item, BINDING.sum)} ${node.negated ? "not in" : "in"} ${printCollection(node.collection)}`;
    case "is":
      return `${within(node.operand, BINDING.sum)} is ${node.missing ? "missing" : "present"}`;
    case "arithmetic": {
      const binding = bindingOf(node);
      return `${within(node.left, binding)} ${node.operator} ${within(node.right, binding + 1)}`;
    }
    case "negative":
      return `-${within(node.operand, BINDING.unary)}`;
    case "name":
      return node.name;
    case "call":
      return `${node.name}(${node.arguments.map(print).join(", ")})`;
    default:
      return printLiteral(node);
  }
}

function within(node: Node, binding: number): string {
  return bindingOf(node) < binding ? `(${print(node)})` : print(node);
}

function printCollection(collection: Collection): string {
  switch (collection.kind) {
    case "list":
      return `[${collection.items.map(printLiteral).join(", ")}]`;
    case "named list":
      return `@${collection.name}`;
    case "range":
      return `${within(collection.from, BINDING.sum)}..${within(collection.to, BINDING.sum)}`;
    case "field list":
      return within(collection.list, BINDING.sum);
  }
}

function printLiteral(literal: Literal): string {
  switch (literal.kind) {
    case "text":
      return printText(literal.value);
    case "integer":
    case "boolean":
      return String(literal.value);
    case "decimal":
      return literal.digits;
    case "money":
      return formatMoney(moneyOf(literal.minor, literal.currency));
    case "duration":
      return `${literal.count}${literal.unit}`;
    case "instant":
      return `instant(${printText(literal.text)})`;
  }
}

/** What is written as an escape: quotes and backslashes, what nobody would see, and halves of a character. */
const ESCAPE = new RegExp(`${/["\\\ud800-\udfff]/u.source}|${UNSEEN.source}`, "gu");

/** The text as it stands in an expression, quotes included. */
export function printText(value: string): string {
  const escaped = value.replace(ESCAPE, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
  return `"${escaped}"`;
}
