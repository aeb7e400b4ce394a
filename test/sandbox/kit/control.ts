/**
 * The control API under `/_sandbox/`: the test's side. The product never calls it, it needs no key, and what it
 * is asked is neither logged nor counted as a request.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type BookView, viewBook } from "./book.ts";
import { readRules } from "./faults.ts";
import { readBody, writeJson } from "./http.ts";
import { Router } from "./router.ts";
import type { Sandbox } from "./sandbox.ts";
import { Refusal, type Reply, type World } from "./world.ts";

export type ControlCall<T extends World> = {
  readonly sandbox: Sandbox<T>;
  readonly message: IncomingMessage;
  readonly query: URLSearchParams;
  readonly body: string;
  /** The ids in the path, in the order of its colons. */
  readonly ids: readonly string[];
};

/** What a control answers that is not JSON with a 200: a page, a redirect, another status. */
export class ControlReply {
  readonly reply: Reply;

  constructor(reply: Reply) {
    this.reply = reply;
  }
}

/** By method and path, for example `GET 3ds/:id`. Gives what is answered as JSON, or a `ControlReply`. */
export type ControlRoutes<T extends World> = Readonly<Record<string, (call: ControlCall<T>) => unknown>>;

const MAX_BODY_BYTES = 1024 * 1024;

function sharedControls<T extends World>(): ControlRoutes<T> {
  return {
    "GET health": () => ({ ok: true }),
    "GET faults": ({ sandbox }) => ({ rules: sandbox.faults.rules }),
    "PUT faults": ({ sandbox, body }) => {
      sandbox.faults.set(readRules(JSON.parse(body), sandbox.dialect));
      return { rules: sandbox.faults.rules };
    },
    "DELETE faults": ({ sandbox }) => {
      sandbox.faults.set([]);
      return { rules: [] };
    },
    "GET settings": ({ sandbox }) => sandbox.settings,
    "PUT settings": ({ sandbox, body }) => sandbox.changeSettings(JSON.parse(body)),
    "POST idempotency-keys/expire": ({ sandbox }) => ({ expired: sandbox.store.expireKeys() }),
    "POST reset": ({ sandbox }) => {
      sandbox.reset();
      return { ok: true };
    },
    "POST flush": async ({ sandbox }) => {
      await sandbox.requestLog.flush();
      return { ok: true };
    },
    "GET book": (call) => bookOf(call),
    "GET requests": ({ sandbox, query }) => sandbox.history.view(numberIn(query, "since") ?? 0),
    "GET webhooks": ({ sandbox, query }) =>
      sandbox.webhooks?.view(numberIn(query, "since") ?? 0) ??
      refuse(404, `${sandbox.dialect.name} has no webhooks`),
  };
}

/** The book through the filter of a query: `metadata[k]=v`, `payment`, `reference`, `since`. */
export function bookOf<T extends World>({ sandbox, query }: ControlCall<T>): BookView<T["movement"]> {
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of query) {
    const key = /^metadata\[(.*)\]$/.exec(name)?.[1];
    if (key !== undefined) metadata[key] = value;
  }
  return viewBook<T["movement"]>(sandbox.store.movements, {
    metadata,
    payment: query.get("payment") ?? undefined,
    reference: query.get("reference") ?? undefined,
    since: numberIn(query, "since"),
  });
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new TypeError(`not a number: ${value}`);
  return Number(value);
}

/** A control's refusal. */
export function refuse(status: number, error: string): never {
  throw new Refusal({ status, body: { error } }, error);
}

export type Control = (
  message: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: string,
) => Promise<void>;

/**
 * The control of one sandbox. `path` is what follows `/_sandbox/`. Answers 404 for what does not exist and 400
 * for what cannot be read.
 */
export function controlOf<T extends World>(sandbox: Sandbox<T>): Control {
  // The provider's own come first, and so win.
  const routes = [
    ...Object.entries(sandbox.dialect.control ?? {}),
    ...Object.entries(sharedControls<T>()),
  ].map(([name, control]) => {
    const [method = "", path = ""] = name.split(" ");
    return [method, path, control] as const;
  });
  const router = new Router(routes);
  return async (message, response, path, query) => {
    try {
      const body = await readBody(message, MAX_BODY_BYTES);
      const found = router.find(message.method ?? "GET", path);
      if (found === undefined) refuse(404, `no such control: ${message.method} ${path}`);
      const { value: control, ids } = found;
      const result = await control({ sandbox, message, query: new URLSearchParams(query), body, ids });
      await sandbox.store.settled();
      write(response, result);
    } catch (problem) {
      if (problem instanceof Refusal) return write(response, new ControlReply(problem.reply));
      if (problem instanceof TypeError || problem instanceof SyntaxError) {
        return writeJson(response, 400, { error: problem.message });
      }
      throw problem;
    }
  };
}

function write(response: ServerResponse, result: unknown): void {
  if (!(result instanceof ControlReply)) return writeJson(response, 200, result);
  const { status, body, headers = {} } = result.reply;
  if (typeof body !== "string") return writeJson(response, status, body);
  response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers }).end(body);
}
