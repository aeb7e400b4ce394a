import type { ServerResponse } from "node:http";
import { Kind, type OperationDefinitionNode, parse } from "graphql";
import { LRUCache } from "lru-cache";
import type { Asking, TurnedAway } from "../subgraphs/payments/flow/admission.ts";
import { type LoadClass } from "../subgraphs/payments/flow/load-class.ts";

/** What the region's door has to know to let in the more important first: read before anything is verified or planned. */

const FOLLOW_UPS: ReadonlySet<string> = new Set(["capturePayment", "voidPayment", "refundPayment"]);
/** A longer document is refused by the gateway. */
const MOST_TOKENS = 4_000;
/** Documents differ only in their variables, so there are few. */
const classes = new LRUCache<string, ReadonlyMap<string, LoadClass>>({
  max: 1_000,
  maxSize: 2_000_000,
  sizeCalculation: (_, query) => query.length + 1,
});
const ONLY_READS: ReadonlyMap<string, LoadClass> = new Map();

/** @param body a request's, as it came; what cannot be read is a read, and is told what is wrong with it when its turn comes */
export function askingOf(body: unknown, merchant: string): Asking {
  const { query, operationName } = body as Record<string, unknown>;
  if (typeof query !== "string") return { class: "read", merchant };
  let known = classes.get(query);
  if (known === undefined) {
    known = classesIn(query);
    classes.set(query, known);
  }
  const only = known.size === 1 ? known.values().next().value : undefined;
  const named = typeof operationName === "string" ? known.get(operationName) : undefined;
  return { class: named ?? only ?? "read", merchant };
}

/** The class of each mutation in a document, by its name ("" without one). */
function classesIn(query: string): ReadonlyMap<string, LoadClass> {
  try {
    const { definitions } = parse(query, { noLocation: true, maxTokens: MOST_TOKENS });
    const operations = definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    return new Map(operations.map((one) => [one.name?.value ?? "", classOf(one)]));
  } catch {
    return ONLY_READS;
  }
}

/** Of an operation with several fields the least important counts: nothing gets in under another's name. */
function classOf({ operation, selectionSet }: OperationDefinitionNode): LoadClass {
  if (operation !== "mutation") return "read";
  const fields = selectionSet.selections.map((one) => (one.kind === Kind.FIELD ? one.name.value : ""));
  return fields.every((name) => FOLLOW_UPS.has(name)) ? "follow_up" : "authorization";
}

/**
 * Whose the edge's word says that a request is, before it is verified: good enough to turn a request away, and for nothing else.
 * Verifying costs as much as all else that a refusal costs.
 */
export function claimedMerchant(token: string | string[] | undefined): string {
  if (typeof token !== "string") return "";
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split(".", 2)[1] ?? "", "base64url").toString());
    const { sub } = payload as { sub?: unknown };
    return typeof sub === "string" ? sub : "";
  } catch {
    return "";
  }
}

const ANSWERS: Record<TurnedAway["because"], readonly [status: number, message: string]> = {
  overloaded: [
    503,
    "There is more to do than can be done at the moment. Nothing was done: repeat the request with the same idempotencyKey after `retryAfterMs`.",
  ],
  merchant_share: [
    429,
    "You have more requests under way than is your share while there is so much to do. Nothing was done: send fewer at once, and repeat this one with the same idempotencyKey after `retryAfterMs`.",
  ],
};

/** 503 or 429 with Retry-After (RFC 9110, section 10.2.3; RFC 6585, section 4), and a GraphQL error that says the same. */
export function replyTurnedAway(response: ServerResponse, { because, retryAfterMs }: TurnedAway): void {
  const [status, message] = ANSWERS[because];
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "retry-after": String(Math.ceil(retryAfterMs / 1_000)),
  });
  const extensions = { code: "OVERLOADED", retryAfterMs };
  response.end(JSON.stringify({ errors: [{ message, extensions }] }));
}

/** Samples in Prometheus's text format, version 0.0.4. */
export const figuresText = (figures: Readonly<Record<string, number>>): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
