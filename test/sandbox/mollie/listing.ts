/**
 * Pages of a list: newest first unless asked otherwise, from an id onwards, at most 250.
 */

import { refuse } from "./errors.ts";
import { renderList, type WireObject } from "./objects.ts";
import type { MollieRequest, Work } from "./world.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 250;

export type Page = { readonly limit: number; readonly from: string | null; readonly descending: boolean };

/** Throws a 400 where a parameter is not valid; whether `from` exists is known only when the list is made. */
export function readPage(query: URLSearchParams): Page {
  const limit = query.get("limit") ?? String(DEFAULT_LIMIT);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT) {
    refuse(400, `The limit must be from 1 to ${MAX_LIMIT}`, "limit");
  }
  const sort = query.get("sort") ?? "desc";
  if (sort !== "asc" && sort !== "desc") refuse(400, "Invalid sort direction", "sort");
  return { limit: Number(limit), from: query.get("from"), descending: sort === "desc" };
}

/** `ids` from the oldest to the newest. Throws a 400 for a `from` that is not among them. */
export function pageOf(
  work: Work,
  request: MollieRequest,
  name: Parameters<typeof renderList>[0],
  ids: readonly string[],
  render: (id: string) => WireObject,
): WireObject {
  const { from, descending, ...page } = readPage(request.query);
  const limit = Math.min(page.limit, work.settings.maxPageSize);
  const ordered = descending ? ids.toReversed() : ids;
  const start = from === null ? 0 : ordered.indexOf(from);
  if (start < 0) refuse(400, "Invalid cursor value", "from");
  const shown = ordered.slice(start, start + limit);
  const address = (id: string | undefined): string | null => {
    if (id === undefined) return null;
    const query = new URLSearchParams(request.query);
    query.set("from", id);
    return `${work.baseUrl}${request.path}?${query}`;
  };
  return renderList(name, shown.map(render), {
    self: `${work.baseUrl}${request.path}?${request.query}`,
    previous: start === 0 ? null : address(ordered[Math.max(0, start - limit)]),
    next: address(ordered[start + limit]),
  });
}
