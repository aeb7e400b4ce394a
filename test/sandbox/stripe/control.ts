/**
 * The control API under `/_sandbox/`: the test's side. The product never calls it, it needs no key, and what it
 * is asked is neither logged nor counted as a request.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  authenticate,
  authenticationPage,
  confirmationKey,
  readOutcome,
  returnAddress,
} from "./authentication.ts";
import { viewBook } from "./book.ts";
import { Refusal } from "./errors.ts";
import { readRules } from "./faults.ts";
import { decodeForm, type FormFields } from "./form.ts";
import { header, readBody, writeJson } from "./http.ts";
import { renderPaymentIntent } from "./objects.ts";
import type { Sandbox } from "./sandbox.ts";
import { changeSettings } from "./settings.ts";

type Call = {
  readonly sandbox: Sandbox;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: FormFields;
  readonly body: string;
};

const HANDLERS: Readonly<Record<string, (call: Call) => unknown>> = {
  "GET health": () => ({ ok: true }),
  "GET faults": ({ sandbox }) => ({ rules: sandbox.faults.rules }),
  "PUT faults": ({ sandbox, body }) => {
    sandbox.faults.set(readRules(JSON.parse(body)));
    return { rules: sandbox.faults.rules };
  },
  "DELETE faults": ({ sandbox }) => {
    sandbox.faults.set([]);
    return { rules: [] };
  },
  "GET settings": ({ sandbox }) => sandbox.settings,
  "PUT settings": ({ sandbox, body }) => {
    sandbox.settings = changeSettings(sandbox.settings, JSON.parse(body));
    return sandbox.settings;
  },
  "POST idempotency-keys/expire": ({ sandbox }) => ({ expired: sandbox.store.expireKeys() }),
  "POST reset": ({ sandbox }) => {
    sandbox.reset();
    return { ok: true };
  },
  "POST flush": async ({ sandbox }) => {
    await sandbox.requestLog.flush();
    return { ok: true };
  },
  "GET book": ({ sandbox, query }) =>
    viewBook(sandbox.store.movements, {
      metadata: typeof query["metadata"] === "object" ? (query["metadata"] as Record<string, string>) : {},
      paymentIntent: text(query["payment_intent"]),
      since: number(query["since"]),
    }),
  "GET requests": ({ sandbox, query }) => sandbox.history.view(number(query["since"]) ?? 0),
};

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new TypeError(`not a number: ${value}`);
  return Number(value);
}

/** `path` is what follows `/_sandbox/`. Answers 404 for what does not exist and 400 for what cannot be read. */
export async function answerControl(
  sandbox: Sandbox,
  message: IncomingMessage,
  response: ServerResponse,
  path: string,
  queryText: string,
): Promise<void> {
  try {
    const body = await readBody(message);
    const query = decodeForm(queryText).fields;
    const call = { sandbox, message, response, query, body };
    if (path.startsWith("3ds/")) return await answerAuthentication(call, path.slice("3ds/".length));
    const handler = HANDLERS[`${message.method} ${path}`];
    if (handler === undefined)
      return writeJson(response, 404, { error: `no such control: ${message.method} ${path}` });
    const result = await handler(call);
    await sandbox.store.settled();
    writeJson(response, 200, result);
  } catch (problem) {
    if (problem instanceof Refusal) return writeJson(response, problem.status, { error: problem.body });
    if (problem instanceof TypeError || problem instanceof SyntaxError) {
      return writeJson(response, 400, { error: problem.message });
    }
    throw problem;
  }
}

/** The bank's page, and its answer: by form for a browser, by JSON for a test. */
async function answerAuthentication(call: Call, id: string): Promise<void> {
  const { sandbox, message, response, body } = call;
  const before = sandbox.store.paymentIntents.get(id);
  if (before === undefined) return writeJson(response, 404, { error: "no such payment intent" });
  if (message.method === "GET") {
    response
      .writeHead(200, { "content-type": "text/html; charset=utf-8" })
      .end(authenticationPage(before.id));
    return;
  }
  const isJson = header(message, "content-type")?.startsWith("application/json") === true;
  const sent = isJson ? (JSON.parse(body) as Record<string, unknown>) : decodeForm(body).fields;
  const outcome = readOutcome(sent["outcome"]);
  const [after, rendered] = sandbox.change(confirmationKey(before), (work) => {
    const intent = authenticate(work, id, outcome);
    return [intent, renderPaymentIntent(work, intent)] as const;
  });
  await sandbox.store.settled();
  const address = returnAddress(before.nextAction?.returnUrl ?? null, after);
  if (isJson || address === null) return writeJson(response, 200, rendered);
  response.writeHead(303, { location: address }).end();
}
