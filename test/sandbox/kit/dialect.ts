/**
 * What a provider's sandbox brings: everything in which one provider differs from another. The kit has the rest.
 */

import type { IncomingMessage } from "node:http";
import type { ControlRoutes } from "./control.ts";
import type { FaultNames, FaultSubject } from "./faults.ts";
import type { SpecOf } from "./settings.ts";
import type { Memory, Store } from "./store.ts";
import type { Decisions } from "./timers.ts";
import type { WebhookFormat } from "./webhooks.ts";
import type { Work } from "./work.ts";
import type { Bending, Reply, World } from "./world.ts";

/** A request as it came. */
export type Incoming = {
  readonly message: IncomingMessage;
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly body: string;
};

/** Does the work. A `Refusal` thrown here leaves no work behind, and is a result that the key remembers. */
export type Execution<T extends World> = (work: Work<T>, bending: Bending) => Reply;

export type Answer = {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** The id of the request whose stored result this is; null for a result of its own. */
  readonly originalRequestId: string | null;
};

/** The answers that the kit gives by itself, in the provider's words. */
export type Refusals = {
  readonly bodyTooLarge: (limitBytes: number) => Reply;
  readonly keyInUse: () => Reply;
  readonly keyMismatch: () => Reply;
  readonly rateLimited: () => Reply;
  /** For a status that a fault rule orders; a body that the rule brings is sent instead. */
  readonly failed: (status: number) => Reply;
};

export type Dialect<T extends World> = FaultNames & {
  /** Names the journal's file, `NAME-sandbox.jsonl`, and the sandbox in its messages. */
  readonly name: string;
  /** The shared settings and the provider's own: `{ ...sharedSettings, … }`. */
  readonly settings: SpecOf<T["settings"]>;
  readonly maxBodyBytes?: number;
  /** An empty memory; called once for each sandbox that starts. */
  readonly memory: () => Memory<T>;
  /** The operation of an endpoint, before anything of the request was read. */
  readonly operationOf: (method: string, path: string) => string;
  /** Authenticates, routes and parses. Throws a `Refusal`, which no key remembers. */
  readonly read: (incoming: Incoming, apiKey: string) => T["request"];
  /** Reads the parameters. What is thrown here is a validation failure, and no key remembers it. */
  readonly prepare: (request: T["request"]) => Execution<T>;
  /** The request's parameters as a canonical text, for the fingerprint of its idempotency key. */
  readonly parameters: (request: T["request"]) => string;
  /** What fault rules can know of a request beyond method, path and operation; see `cardFingerprint`. */
  readonly subject: (
    store: Store<T>,
    request: T["request"],
  ) => Pick<FaultSubject, "metadata" | "cardFingerprint" | "amount"> & { readonly identity?: string };
  readonly refusals: Refusals;
  /** Headers of an answer; the request is null where it could not be read. */
  readonly headers?: (
    answer: Answer,
    request: T["request"] | null,
    message: IncomingMessage,
  ) => Readonly<Record<string, string>>;
  readonly newRequestId?: () => string;
  /** What `garbage` answers. */
  readonly garbage?: string;
  readonly decisions?: Decisions<T>;
  /** The provider's webhooks; a sandbox without it has none. */
  readonly webhooks?: WebhookFormat<T>;
  /** Controls of the provider's own, such as `GET 3ds/:id`; they win over the kit's. */
  readonly control?: ControlRoutes<T>;
};
