/**
 * Lists as Stripe pages them: newest first, by cursor (docs.stripe.com/api/pagination).
 */

import type { Table } from "../kit/table.ts";
import { invalidRequest, resourceMissing } from "./errors.ts";
import type { WireObject } from "./objects.ts";
import type { Params } from "./params.ts";

export const LIST_PARAMS = ["limit", "starting_after", "ending_before", "created", "expand"] as const;

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export type ListQuery = {
  readonly limit: number;
  readonly startingAfter: string | undefined;
  readonly endingBefore: string | undefined;
  /** Inclusive bounds on `created`, in seconds. */
  readonly from: number;
  readonly to: number;
};

/** Reads and checks the parameters that every list has. */
export function listQuery(params: Params): ListQuery {
  const startingAfter = params.string("starting_after");
  const endingBefore = params.string("ending_before");
  if (startingAfter !== undefined && endingBefore !== undefined) {
    throw invalidRequest("Give starting_after or ending_before, not both.", { code: "parameters_exclusive" });
  }
  return { limit: readLimit(params), startingAfter, endingBefore, ...createdRange(params) };
}

/** Between 1 and 100; 10 where it is not given. */
export function readLimit(params: Params): number {
  const limit = params.integer("limit") ?? DEFAULT_LIMIT;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw invalidRequest(`limit must be between 1 and ${MAX_LIMIT}.`, {
    code: "parameter_invalid_integer",
    param: "limit",
  });
}

/** `created=…` for one second, or `created[gt|gte|lt|lte]=…` for a range. */
function createdRange(params: Params): { from: number; to: number } {
  const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  if (!params.has("created")) return all;
  const exact = asExact(params);
  if (exact !== undefined) return { from: exact, to: exact };
  const range = params.child("created");
  if (range === undefined) return all;
  range.expectOnly(["gt", "gte", "lt", "lte"]);
  const gt = range.integer("gt");
  const lt = range.integer("lt");
  return {
    from: Math.max(range.integer("gte") ?? all.from, gt === undefined ? all.from : gt + 1),
    to: Math.min(range.integer("lte") ?? all.to, lt === undefined ? all.to : lt - 1),
  };
}

function asExact(params: Params): number | undefined {
  try {
    return params.integer("created");
  } catch (problem) {
    // A nested object is not a scalar: then it is a range, and is read as one.
    if (params.child("created") !== undefined) return undefined;
    throw problem;
  }
}

export type ListSource<T extends { id: string; created: number }> = {
  readonly table: Table<T>;
  readonly noun: string;
  readonly url: string;
  /** Only what belongs to this id. */
  readonly owner?: string | undefined;
  readonly accept?: (record: T) => boolean;
  readonly render: (record: T) => WireObject;
};

/** One page. Records are in order of creation, so a range of times is a range of positions. */
export function list<T extends { id: string; created: number }>(
  query: ListQuery,
  source: ListSource<T>,
): WireObject {
  const ids = source.table.ids(source.owner);
  const recordAt = (index: number): T => source.table.get(ids[index] as string) as T;
  const first = firstIndex(ids.length, (index) => recordAt(index).created >= query.from);
  const end = firstIndex(ids.length, (index) => recordAt(index).created > query.to);
  const forwards = query.endingBefore !== undefined;
  const cursor = query.startingAfter ?? query.endingBefore;
  const at = cursor === undefined ? -1 : cursorIndex(source, cursor, forwards);
  const page: T[] = [];
  const step = forwards ? 1 : -1;
  const start = forwards
    ? Math.max(at + 1, first)
    : cursor === undefined
      ? end - 1
      : Math.min(at - 1, end - 1);
  for (let index = start; index >= first && index < end && page.length <= query.limit; index += step) {
    const record = recordAt(index);
    if (source.accept?.(record) ?? true) page.push(record);
  }
  const hasMore = page.length > query.limit;
  const shown = page.slice(0, query.limit);
  if (forwards) shown.reverse();
  return { object: "list", data: shown.map(source.render), has_more: hasMore, url: source.url };
}

function cursorIndex<T extends { id: string; created: number }>(
  source: ListSource<T>,
  cursor: string,
  forwards: boolean,
): number {
  const at = source.table.indexOf(cursor, source.owner);
  if (at < 0) throw resourceMissing(source.noun, cursor, forwards ? "ending_before" : "starting_after", 400);
  return at;
}

/** The least index below `length` for which `holds`, which must not turn false again; else `length`. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
