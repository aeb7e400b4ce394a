/**
 * What differs from one provider's sandbox to another, as types. A provider declares one `World`, and every
 * part of the kit takes it as its only type parameter.
 */

import type { Metadata, Movement } from "./book.ts";
import type { SharedSettings } from "./settings.ts";
import type { Identified } from "./table.ts";

/** A request that was read: routed, authenticated, and of a form that the provider takes. */
export type ApiRequest = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The name by which fault rules speak of it. */
  readonly operation: string;
  /** Null where the request has none, or keys have no effect on it. */
  readonly idempotencyKey: string | null;
};

/** Something that the merchant is told of by a webhook. A provider's own event may carry more. */
export type WebhookEvent = {
  /** Unique over the sandbox's life. */
  readonly id: string;
  readonly type: string;
  /** The provider's id of the payment that it is about. */
  readonly payment: string;
  /** What is the same in a repeated run, to draw chance under; the id where not given. */
  readonly identity?: string;
  /** Where it goes, for providers that are told with each payment; else the setting's address. */
  readonly url?: string;
};

export type World = {
  /** The kinds of records, by the names of their tables. Records are immutable JSON. */
  kinds: Record<string, Identified>;
  settings: SharedSettings;
  movement: Movement;
  request: ApiRequest;
  /** JSON: it is kept in the journal until it is delivered. */
  event: WebhookEvent;
  /** What else the store holds that follows from the records, such as an index to search. */
  indexes: object;
};

/** An answer: the status and what is sent. A string is sent as it is, anything else as JSON. */
export type Reply = {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** How faults bend an execution. */
export type Bending = {
  /** The issuer declines with this code. */
  readonly declineCode?: string;
  /** The payment stays undecided for this long, in milliseconds. */
  readonly processingMs?: number;
  /** Something that only this provider does. */
  readonly quirk?: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> };
};

/** Something that a record will do by itself, and the key of the request that began it. */
export type Decision = { readonly atMs: number; readonly idempotencyKey: string | null };

export type { Metadata };

/** A request that is answered with an error. Thrown anywhere in reading or executing; caught once. */
export class Refusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply, message = `refused with ${reply.status}`) {
    super(message);
    this.name = "Refusal";
    this.reply = reply;
  }
}
