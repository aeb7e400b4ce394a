import { GraphQLError } from "graphql";
import type { NotProjected } from "../sql/statements.ts";

/** Instants that a client gives, and what it is told when one cannot be answered yet. */

const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

export const badInput = (message: string) =>
  new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } });

/** To the millisecond, as batches have it. @throws BAD_USER_INPUT */
export function readInstant(value: unknown): Date {
  const at = typeof value === "string" && ISO_8601.test(value) ? new Date(value) : null;
  if (at === null || Number.isNaN(at.getTime()))
    throw badInput("An instant is in ISO 8601 with its offset, such as 2026-11-22T17:59:03.120Z.");
  return at;
}

export const readInstantIfAny = (value: unknown): Date | null =>
  value === null || value === undefined ? null : readInstant(value);

/** Not an error of anyone: statements are written a moment after what they tell. */
export const notProjected = ({ projectedThrough }: NotProjected): GraphQLError =>
  new GraphQLError(
    `Statements are complete through ${projectedThrough.toISOString()}: ask for an instant up to then, or repeat this later.`,
    { extensions: { code: "NOT_PROJECTED", projectedThrough: projectedThrough.toISOString() } },
  );
