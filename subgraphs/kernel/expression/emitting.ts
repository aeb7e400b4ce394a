import type { Environment } from "./environment.ts";
import type { Node } from "./syntax.ts";
import type { Type, Value } from "./values.ts";

/** What a node became: gives its value for some facts; undefined is "unknown", for conditions, or "missing". */
export type Evaluate<F> = (facts: F) => Value | undefined;

/** What the parts of the emitter share. */
export type Emitting<F> = {
  readonly environment: Environment<F>;
  readonly typeOf: (node: Node) => Type;
  readonly emit: (node: Node) => Evaluate<F>;
};

/** Tells of what was thrown by a reader, function or list of ours; it counts as missing. */
export function faulty<F>(environment: Environment<F>, name: string, error: unknown): undefined {
  try {
    environment.onFault(name, error);
  } catch {
    // Whoever listens for faults must not add one: the decision goes on without this fact.
  }
  return undefined;
}
