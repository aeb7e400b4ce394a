/**
 * The provider's API: one request's path from the socket to its answer, or to what a fault makes of it.
 *
 * Order: down? | reset rules | body | log | key and route | rate limit | fault rules | execution | answer.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { cardFingerprint } from "./cards.ts";
import type { Answer, Dialect } from "./dialect.ts";
import { bytesOf, execute, identityOf, newRequestId, refusalReply, type Twist } from "./execution.ts";
import type { Fault } from "./faults.ts";
import type { HistoryEntry } from "./history.ts";
import { BodyTooLarge, header, readBody } from "./http.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Reply, World } from "./world.ts";

const MAX_BODY_BYTES = 64 * 1024;
const GARBAGE = '{"id": "<html><title>502';

export async function answerApi<T extends World>(
  sandbox: Sandbox<T>,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { dialect } = sandbox;
  const method = message.method ?? "GET";
  const [path, query] = splitUrl(message.url ?? "/");
  const entry = sandbox.history.add(method, path, header(message, "idempotency-key") ?? null);
  if (sandbox.settings.down) return cut(message, entry, "refused");
  const operation = dialect.operationOf(method, path);
  if (sandbox.faults.rules.length > 0) {
    const fault = sandbox.faults.beforeReading({ method, path, operation, identity: identityOf(entry) });
    if (fault !== undefined) {
      entry.fault = fault.kind;
      log(sandbox, message, null);
      return cut(message, entry, "reset");
    }
  }
  try {
    const body = await readBody(message, dialect.maxBodyBytes ?? MAX_BODY_BYTES);
    log(sandbox, message, body);
    const request = dialect.read({ message, method, path, query, body }, sandbox.apiKey);
    entry.idempotencyKey = request.idempotencyKey ?? entry.idempotencyKey;
    await serve(sandbox, message, response, request, entry);
  } catch (problem) {
    const reply =
      problem instanceof BodyTooLarge
        ? dialect.refusals.bodyTooLarge(problem.limitBytes)
        : refusalReply(problem);
    give(dialect, message, response, null, entry, reply);
  }
}

function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

async function serve<T extends World>(
  sandbox: Sandbox<T>,
  message: IncomingMessage,
  response: ServerResponse,
  request: T["request"],
  entry: HistoryEntry,
): Promise<void> {
  const { dialect } = sandbox;
  const done = (reply: Reply): void => give(dialect, message, response, request, entry, reply);
  if (!sandbox.rateLimit.admits(sandbox.settings.rateLimitPerSecond, Date.now())) {
    entry.fault = "rate_limit";
    return done(dialect.refusals.rateLimited());
  }
  const fault = pickFault(sandbox, request);
  entry.fault = fault?.kind ?? null;
  switch (fault?.kind) {
    case "hang":
      entry.outcome = "hung";
      return;
    case "reset":
      return cut(message, entry, "reset");
    case "status":
      return done(failed(dialect, fault.status, fault.body));
    case "land_late":
      sandbox.later(fault.afterMs, () => void land(sandbox, request, entry));
      entry.outcome = "late";
      if (fault.hang !== true) message.socket.destroy();
      return;
    case "garbage":
      if (fault.work) entry.replayed = (await execute(sandbox.context, request)).originalRequestId !== null;
      return done({ status: 200, body: dialect.garbage ?? GARBAGE });
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
  writeAnswer(dialect, message, response, request, answer);
}

function failed<T extends World>(dialect: Dialect<T>, status: number, body: unknown): Reply {
  if (typeof body === "object" && body !== null) return { status, body };
  return { ...dialect.refusals.failed(status), ...(typeof body === "string" ? { body } : {}) };
}

function pickFault<T extends World>(sandbox: Sandbox<T>, request: T["request"]): Fault | undefined {
  if (sandbox.faults.rules.length === 0) return undefined;
  const { method, path, operation } = request;
  const inside = sandbox.dialect.subject(sandbox.store, request);
  const subject = { method, path, operation, identity: identityOf(request), ...inside };
  return sandbox.faults.pick(subject, cardFingerprint);
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
    case "quirk":
      return { quirk: { name: fault.quirk, parameters: fault.parameters ?? {} } };
    default:
      return {};
  }
}

/** A late request comes out of its queue: executed now, under its key as it stands now, and heard by nobody. */
async function land<T extends World>(
  sandbox: Sandbox<T>,
  request: T["request"],
  entry: HistoryEntry,
): Promise<void> {
  const { status, originalRequestId } = await execute(sandbox.context, request);
  entry.landed = { at: Date.now(), status, replayed: originalRequestId !== null };
}

/** Answers without an execution. */
function give<T extends World>(
  dialect: Dialect<T>,
  message: IncomingMessage,
  response: ServerResponse,
  request: T["request"] | null,
  entry: HistoryEntry,
  reply: Reply,
): void {
  entry.outcome = reply.status;
  const answer = { ...bytesOf(reply), requestId: newRequestId(dialect), originalRequestId: null };
  writeAnswer(dialect, message, response, request, answer);
}

function writeAnswer<T extends World>(
  dialect: Dialect<T>,
  message: IncomingMessage,
  response: ServerResponse,
  request: T["request"] | null,
  answer: Answer,
): void {
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": answer.body.length,
    ...dialect.headers?.(answer, request, message),
    ...answer.headers,
  });
  response.end(answer.body);
}

function cut(message: IncomingMessage, entry: HistoryEntry, outcome: "reset" | "refused"): void {
  entry.outcome = outcome;
  message.socket.resetAndDestroy();
}

function log<T extends World>(sandbox: Sandbox<T>, message: IncomingMessage, body: string | null): void {
  if (!sandbox.requestLog.keeps) return;
  const { method, url: path, headers } = message;
  sandbox.requestLog.append(JSON.stringify({ time: new Date().toISOString(), method, path, headers, body }));
}
