/**
 * `GET /v1/payment_intents/search`: Stripe's query language over a lagging index.
 *
 * Clauses are `metadata['k']:'v'`, `status:'…'`, `currency:'…'`, `amount` and `created` with `:`, `<`, `<=`, `>`
 * and `>=`; a leading minus negates; clauses join by AND (or a space) or by OR, not by both; at most ten.
 * Source: docs.stripe.com/search.
 */

import { invalidRequest } from "./errors.ts";
import { expand } from "./expand.ts";
import { readLimit } from "./listing.ts";
import { renderPaymentIntent } from "./objects.ts";
import type { Params } from "./params.ts";
import { type Execution, ok, type Route } from "./route.ts";
import type { SearchDocument, SearchIndex } from "./search-index.ts";

type Comparison = ":" | "~" | "<" | "<=" | ">" | ">=";

export type Clause = {
  readonly negated: boolean;
  readonly field: "metadata" | "status" | "currency" | "amount" | "created";
  /** The key of a metadata clause; empty for other fields. */
  readonly key: string;
  readonly comparison: Comparison;
  /** Null asks for absence. */
  readonly value: string | null;
};

export type Query = { readonly clauses: readonly Clause[]; readonly any: boolean };

const MAX_CLAUSES = 10;
const CLAUSE =
  /\s*(?:(AND|OR)\s+)?(-?)([a-z_]+)(?:\[\s*(['"])((?:\\.|(?!\4).)*)\4\s*\])?\s*(:|~|<=|>=|<|>)\s*(?:(['"])((?:\\.|(?!\7).)*)\7|(null|-?\d+))/y;
const NUMERIC = ["amount", "created"];
const TEXT = ["metadata", "status", "currency"];

/** Reads a query. Throws a 400 `Refusal` where it is not one. */
export function parseQuery(text: string): Query {
  const clauses: Clause[] = [];
  const joins = new Set<string>();
  CLAUSE.lastIndex = 0;
  for (let at = 0; text.slice(at).trim() !== ""; at = CLAUSE.lastIndex) {
    const match = CLAUSE.exec(text);
    if (match === null) throw badQuery(`it cannot be read from character ${at} on`);
    const [, join, minus, field = "", , key, comparison, , quoted, bare] = match;
    if (clauses.length > 0) joins.add(join ?? "AND");
    else if (join !== undefined) throw badQuery("it begins with a join");
    checkField(field, key, comparison as Comparison);
    clauses.push({
      negated: minus === "-",
      field: field as Clause["field"],
      key: unescape(key ?? ""),
      comparison: comparison as Comparison,
      value: bare === "null" ? null : unescape(quoted ?? bare ?? ""),
    });
  }
  if (clauses.length === 0) throw badQuery("it has no clause");
  if (clauses.length > MAX_CLAUSES) throw badQuery(`it has more than ${MAX_CLAUSES} clauses`);
  if (joins.size > 1) throw badQuery("it joins with both AND and OR");
  return { clauses, any: joins.has("OR") };
}

function checkField(field: string, key: string | undefined, comparison: Comparison): void {
  if (!NUMERIC.includes(field) && !TEXT.includes(field)) throw badQuery(`it has the unknown field ${field}`);
  if ((field === "metadata") !== (key !== undefined))
    throw badQuery("metadata needs a key, and nothing else has one");
  const allowed = NUMERIC.includes(field)
    ? comparison !== "~"
    : comparison === ":" || (comparison === "~" && field === "metadata");
  if (!allowed) throw badQuery(`${field} cannot be compared with ${comparison}`);
}

function badQuery(why: string): Error {
  return invalidRequest(`The search query is not valid: ${why}.`, { param: "query" });
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}

/** Whether a document fits the query. */
export function fits(document: SearchDocument, query: Query): boolean {
  return query.any
    ? query.clauses.some((clause) => fitsClause(document, clause))
    : query.clauses.every((clause) => fitsClause(document, clause));
}

function fitsClause(document: SearchDocument, clause: Clause): boolean {
  return compare(document, clause) !== clause.negated;
}

function compare(document: SearchDocument, clause: Clause): boolean {
  const actual = clause.field === "metadata" ? document.metadata[clause.key] : document[clause.field];
  if (clause.value === null) return actual === undefined;
  if (actual === undefined) return false;
  if (clause.comparison === "~") return String(actual).includes(clause.value);
  if (typeof actual === "string") return actual === clause.value;
  const wanted = Number(clause.value);
  switch (clause.comparison) {
    case "<":
      return actual < wanted;
    case "<=":
      return actual <= wanted;
    case ">":
      return actual > wanted;
    case ">=":
      return actual >= wanted;
    default:
      return actual === wanted;
  }
}

/** Ids of what fits, newest first. A clause that names a metadata pair narrows where it looks. */
export function searchIds(index: SearchIndex, query: Query, nowMs: number): string[] {
  index.catchUp(nowMs);
  const pair = query.any
    ? undefined
    : query.clauses.find(
        (clause) => clause.field === "metadata" && clause.comparison === ":" && !clause.negated,
      );
  const narrow =
    pair?.value === null || pair?.value === undefined ? undefined : { key: pair.key, value: pair.value };
  const found: SearchDocument[] = [];
  for (const document of index.candidates(narrow)) if (fits(document, query)) found.push(document);
  return found.sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1)).map((document) => document.id);
}

function prepareSearch(params: Params): Execution {
  params.expectOnly(["expand", "limit", "page", "query"]);
  const query = parseQuery(params.requiredString("query"));
  const limit = readLimit(params);
  const from = readPage(params);
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const ids = searchIds(work.store.indexes.search, query, work.nowMs);
    const shown = ids.slice(from, from + limit);
    const hasMore = ids.length > from + limit;
    const result = {
      object: "search_result",
      data: shown.map((id) => renderPaymentIntent(work, work.get("paymentIntents", id))),
      has_more: hasMore,
      next_page: hasMore ? Buffer.from(String(from + limit)).toString("base64url") : null,
      ...(paths.includes("total_count") ? { total_count: ids.length } : {}),
      url: "/v1/payment_intents/search",
    };
    return ok(expand(work, result, paths));
  };
}

/** The opaque page token holds how many results come before the page. */
function readPage(params: Params): number {
  const page = params.string("page");
  if (page === undefined) return 0;
  const from = Number(Buffer.from(page, "base64url").toString("utf8"));
  if (Number.isSafeInteger(from) && from > 0) return from;
  throw invalidRequest("The page is not one that a search gave.", { param: "page" });
}

export const searchRoutes: readonly Route[] = [
  { method: "GET", path: "/v1/payment_intents/search", operation: "lookup", prepare: prepareSearch },
];
