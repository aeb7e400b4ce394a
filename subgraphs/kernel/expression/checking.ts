import type { Environment } from "./environment.ts";
import type { ErrorCode } from "./errors.ts";
import { suggestion } from "./nearest.ts";
import type { Node, Span } from "./syntax.ts";
import type { Type } from "./values.ts";

/** What the parts of the check share. `typeOf` is null for a node whose fault was told already. */
export type Checking = {
  readonly environment: Environment<never>;
  readonly typeOf: (node: Node) => Type | null;
  readonly refuse: (code: ErrorCode, message: string, at: Span) => null;
};

/** Tells of a text that the other side of its comparison can never be; whether there was something to tell. */
export function unknownValue(node: Node, { values }: Type, { refuse }: Checking): boolean {
  if (node.kind !== "text" || values === undefined || values.includes(node.value)) return false;
  const near = suggestion(node.value, values);
  refuse("UNKNOWN_VALUE", `it is never "${node.value}"${near || `; it can be ${some(values)}`}`, node.at);
  return true;
}

function some(values: readonly string[]): string {
  const shown = values.slice(0, 6).map((value) => `"${value}"`);
  return `${shown.join(", ")}${values.length > 6 ? " and others" : ""}`;
}
