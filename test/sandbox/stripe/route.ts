/**
 * What an endpoint is: a way to read its parameters, and then a way to execute.
 *
 * The two are apart because an idempotency key remembers only what was executed: everything thrown by
 * `prepare` is a validation failure, everything that happens in the function it gives is a result.
 */

import type { Bending, Reply } from "../kit/world.ts";
import type { Params } from "./params.ts";
import type { Work } from "./store.ts";

/** The names by which fault rules speak of endpoints. */
export const OPERATIONS = [
  "create",
  "confirm",
  "capture",
  "cancel",
  "refund",
  "increment",
  "update",
  "lookup",
  "other",
] as const;
export type Operation = (typeof OPERATIONS)[number];

export type Execution = (work: Work, bending: Bending) => Reply;

export type Route = {
  readonly method: "GET" | "POST";
  /** Path segments; a segment that begins with a colon is an id. */
  readonly path: string;
  readonly operation: Operation;
  /** Reads the parameters; `id` is the path's id, or empty. Throws a `Refusal` where they are not valid. */
  readonly prepare: (params: Params, id: string) => Execution;
};

export function ok(body: object): Reply {
  return { status: 200, body };
}
