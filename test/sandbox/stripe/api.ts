/**
 * The provider's API: one request's path from the socket to its answer, or to what a fault makes of it.
 *
 * Order: down? | reset rules | body | log | key | route and form | fault rules | execution | answer.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { fingerprintOf } from "./card-checks.ts";
import { invalidRequest, Refusal } from "./errors.ts";
import {
  type ApiRequest,
  answerOf,
  checkKey,
  execute,
  failedReply,
  refusalReply,
  type Twist,
} from "./execution.ts";
import { subjectOf } from "./fault-subject.ts";
import type { Fault } from "./faults.ts";
import { decodeForm } from "./form.ts";
import type { HistoryEntry } from "./history.ts";
import { authenticateKey, header, readBody, writeAnswer } from "./http.ts";
import { MAX_KEY_LENGTH } from "./idempotency.ts";
import { newId } from "./ids.ts";
import { findRoute } from "./router.ts";
import type { Sandbox } from "./sandbox.ts";

export async function answerApi(
  sandbox: Sandbox,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = message.method ?? "GET";
  const [path, queryText] = splitUrl(message.url ?? "/");
  const entry = sandbox.history.add(method, path, header(message, "idempotency-key") ?? null);
  if (sandbox.settings.down) return cut(message, entry, "refused");
  const operation = findRoute(method, path)?.route.operation ?? "other";
  if (sandbox.faults.rules.length > 0) {
    const fault = sandbox.faults.beforeReading({ method, path, operation });
    if (fault !== undefined) {
      entry.fault = fault.kind;
      log(sandbox, message, null);
      return cut(message, entry, "reset");
    }
  }
  try {
    const body = await readBody(message);
    log(sandbox, message, body);
    authenticateKey(message, sandbox.apiKey);
    const request = readRequest(message, method, path, method === "POST" ? body : queryText);
    await serve(sandbox, message, response, request, entry);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    const refused = { ...answerOf(refusalReply(problem)), requestId: newId("req"), originalRequestId: null };
    entry.outcome = refused.status;
    writeAnswer(response, refused, { idempotencyKey: null, apiVersion: versionOf(message) });
  }
}

function splitUrl(url: string): [string, string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

function versionOf(message: IncomingMessage): string | null {
  return header(message, "stripe-version") ?? null;
}

/** Everything of the request that does not depend on what the sandbox knows. */
function readRequest(message: IncomingMessage, method: string, path: string, formText: string): ApiRequest {
  const found = findRoute(method, path);
  if (found === undefined) {
    const text = `Unrecognized request URL (${method}: ${path}).`;
    throw new Refusal(404, { type: "invalid_request_error", message: text });
  }
  const type = header(message, "content-type");
  if (method === "POST" && type !== undefined && !type.startsWith("application/x-www-form-urlencoded")) {
    throw invalidRequest("A POST must be sent as application/x-www-form-urlencoded.");
  }
  const key = checkKey(header(message, "idempotency-key"), MAX_KEY_LENGTH);
  return {
    method,
    path,
    route: found.route,
    id: found.id,
    form: decodeForm(formText),
    idempotencyKey: method === "POST" ? key : null,
    apiVersion: versionOf(message),
  };
}

async function serve(
  sandbox: Sandbox,
  message: IncomingMessage,
  response: ServerResponse,
  request: ApiRequest,
  entry: HistoryEntry,
): Promise<void> {
  const fault = pickFault(sandbox, request);
  entry.fault = fault?.kind ?? null;
  switch (fault?.kind) {
    case "hang":
      entry.outcome = "hung";
      return;
    case "reset":
      return cut(message, entry, "reset");
    case "status":
      return give(response, request, entry, { ...answerOf(failedReply(fault.status, fault.body)) });
    case "land_late":
      sandbox.later(fault.afterMs, () => void land(sandbox, request, entry));
      entry.outcome = "late";
      if (fault.hang !== true) message.socket.destroy();
      return;
    case "garbage":
      if (fault.work) entry.replayed = (await execute(sandbox.context, request)).originalRequestId !== null;
      return give(response, request, entry, {
        status: 200,
        body: Buffer.from('{"id": "pi_<html><title>502'),
      });
    default:
  }
  const answer = await execute(sandbox.context, request, twistOf(fault));
  entry.replayed = answer.originalRequestId !== null;
  if (fault?.kind === "lose_response") {
    entry.outcome = "lost";
    message.socket.destroy();
    return;
  }
  entry.outcome = answer.status;
  writeAnswer(response, answer, request);
}

function pickFault(sandbox: Sandbox, request: ApiRequest): Fault | undefined {
  if (sandbox.faults.rules.length === 0) return undefined;
  return sandbox.faults.pick(subjectOf(sandbox.store, request), fingerprintOf);
}

function twistOf(fault: Fault | undefined): Twist {
  switch (fault?.kind) {
    case "delay":
      return { delayMs: fault.ms };
    case "status_after":
      return { statusAfter: { status: fault.status, stored: fault.stored ?? "status" } };
    case "decline":
      return { declineCode: fault.declineCode };
    case "processing":
      return { processingMs: fault.afterMs };
    default:
      return {};
  }
}

/** A late request comes out of its queue: executed now, under its key as it stands now, and heard by nobody. */
async function land(sandbox: Sandbox, request: ApiRequest, entry: HistoryEntry): Promise<void> {
  const { status, originalRequestId } = await execute(sandbox.context, request);
  entry.landed = { at: Date.now(), status, replayed: originalRequestId !== null };
}

function give(
  response: ServerResponse,
  request: ApiRequest,
  entry: HistoryEntry,
  answer: { readonly status: number; readonly body: Buffer },
): void {
  entry.outcome = answer.status;
  writeAnswer(response, { ...answer, requestId: newId("req"), originalRequestId: null }, request);
}

function cut(message: IncomingMessage, entry: HistoryEntry, outcome: "reset" | "refused"): void {
  entry.outcome = outcome;
  message.socket.resetAndDestroy();
}

function log(sandbox: Sandbox, message: IncomingMessage, body: string | null): void {
  if (!sandbox.requestLog.keeps) return;
  const { method, url: path, headers } = message;
  sandbox.requestLog.append(JSON.stringify({ time: new Date().toISOString(), method, path, headers, body }));
}
