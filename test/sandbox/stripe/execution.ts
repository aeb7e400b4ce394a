/**
 * One request, executed: key, latency, parameters, work, journal, answer. Faults have been chosen before; what
 * remains of them here is how they bend the work.
 *
 * A late request comes the same way, only later: it meets its idempotency key as that stands by then.
 */

import { type ErrorBody, invalidRequest, Refusal } from "./errors.ts";
import type { DecodedForm } from "./form.ts";
import { fingerprintOf, type KeyedResult } from "./idempotency.ts";
import { newId } from "./ids.ts";
import { Params } from "./params.ts";
import type { Bending, Execution, Reply, Route } from "./route.ts";
import type { Settings } from "./settings.ts";
import { type Store, Work } from "./store.ts";

export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly route: Route;
  /** The id in the path, or empty. */
  readonly id: string;
  readonly form: DecodedForm;
  /** Null for what is not a POST: keys have no effect there. */
  readonly idempotencyKey: string | null;
  readonly apiVersion: string | null;
};

export type Answer = {
  readonly status: number;
  readonly body: Buffer;
  readonly requestId: string;
  /** The id of the request whose stored result this is. */
  readonly originalRequestId: string | null;
};

/** How a fault bends one execution. */
export type Twist = Bending & {
  readonly delayMs?: number;
  /** The status to answer with after the work, and what the key remembers. */
  readonly statusAfter?: { readonly status: number; readonly stored: "status" | "result" };
};

export type ExecutionContext = {
  readonly store: Store;
  readonly settings: () => Settings;
  readonly now: () => number;
  readonly baseUrl: () => string;
  /** Called with each unit of work that was applied. */
  readonly applied: (work: Work) => void;
};

export async function execute(
  context: ExecutionContext,
  request: ApiRequest,
  twist: Twist = {},
): Promise<Answer> {
  const requestId = newId("req");
  const claimed = claimKey(context, request);
  if ("answer" in claimed) {
    await context.store.settled();
    return { ...claimed.answer, requestId };
  }
  const delayMs = latency(context.settings()) + (twist.delayMs ?? 0);
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  const answer = run(context, request, twist, requestId, claimed.fingerprint);
  // Not before it is remembered: an answer that a kill could make untrue must not leave the house.
  await context.store.settled();
  return answer;
}

type Claim = { readonly fingerprint: string | null } | { readonly answer: Omit<Answer, "requestId"> };

function claimKey(context: ExecutionContext, request: ApiRequest): Claim {
  const key = request.idempotencyKey;
  if (key === null) return { fingerprint: null };
  const fingerprint = fingerprintOf(request.method, request.path, request.form.pairs);
  const ttlMs = context.settings().idempotencyKeyTtlMs;
  const claim = context.store.keys.claim(key, fingerprint, context.now(), ttlMs);
  switch (claim.kind) {
    case "started":
      return { fingerprint };
    case "replay": {
      const { status, body, requestId } = claim.result;
      return { answer: { status, body, originalRequestId: requestId } };
    }
    case "in_use":
      return refuse(409, {
        type: "invalid_request_error",
        code: "idempotency_key_in_use",
        message: "Another request with this idempotency key is still being executed. Try again later.",
      });
    case "mismatch":
      return refuse(400, {
        type: "idempotency_error",
        message: "This idempotency key was first used with another path or other parameters.",
      });
  }
}

function refuse(status: number, error: ErrorBody): Claim {
  return { answer: { ...answerOf(refusalReply(new Refusal(status, error))), originalRequestId: null } };
}

function latency(settings: Settings): number {
  return settings.latencyMs + (settings.latencyJitterMs > 0 ? Math.random() * settings.latencyJitterMs : 0);
}

/** Executes without waiting for anything, so that no two requests ever see each other half done. */
function run(
  context: ExecutionContext,
  request: ApiRequest,
  twist: Twist,
  requestId: string,
  fingerprint: string | null,
): Answer {
  const { store } = context;
  const key = request.idempotencyKey;
  let execution: Execution;
  try {
    execution = request.route.prepare(new Params(request.form.fields), request.id);
  } catch (problem) {
    if (key !== null) store.keys.release(key);
    return { ...answerOf(refusalReply(problem)), requestId, originalRequestId: null };
  }
  const { work, reply } = attempt(context, request, execution, twist);
  const result = answerOf(reply);
  const given = twist.statusAfter === undefined ? result : answerOf(failedReply(twist.statusAfter.status));
  const kept = twist.statusAfter?.stored === "result" ? result : given;
  if (key !== null && fingerprint !== null) {
    const stored: KeyedResult = { ...kept, fingerprint, atMs: context.now(), requestId };
    store.apply(work, { name: key, result: stored });
  } else {
    store.apply(work);
  }
  context.applied(work);
  return { ...given, requestId, originalRequestId: null };
}

/** The work and its reply. A refusal thrown on the way leaves no work behind, but is a result like any other. */
function attempt(
  context: ExecutionContext,
  request: ApiRequest,
  execution: Execution,
  bending: Bending,
): { work: Work; reply: Reply } {
  const start = (): Work => newWork(context, request.idempotencyKey, request.apiVersion);
  const work = start();
  try {
    return { work, reply: execution(work, bending) };
  } catch (problem) {
    if (!(problem instanceof Refusal) && request.idempotencyKey !== null) {
      context.store.keys.release(request.idempotencyKey);
    }
    return { work: start(), reply: refusalReply(problem) };
  }
}

export function newWork(
  context: ExecutionContext,
  idempotencyKey: string | null,
  apiVersion: string | null,
): Work {
  return new Work(context.store, {
    nowMs: context.now(),
    settings: context.settings(),
    baseUrl: context.baseUrl(),
    idempotencyKey,
    apiVersion,
  });
}

/** A refusal as a reply. Anything else is a fault of the sandbox, and is thrown on. */
export function refusalReply(problem: unknown): Reply {
  if (problem instanceof Refusal) return { status: problem.status, body: { error: problem.body } };
  throw problem;
}

/** The error object for a status that a fault rule gives. */
export function failedReply(status: number, body?: unknown): Reply {
  if (typeof body === "object" && body !== null) return { status, body };
  const type = status >= 500 ? "api_error" : "invalid_request_error";
  const code = status === 429 ? { code: "rate_limit" } : status === 409 ? { code: "lock_timeout" } : {};
  return refusalReply(new Refusal(status, { type, message: `The provider answers ${status}.`, ...code }));
}

export function answerOf(reply: Reply): { status: number; body: Buffer } {
  return { status: reply.status, body: Buffer.from(JSON.stringify(reply.body)) };
}

/** 400 where a key is longer than Stripe takes. */
export function checkKey(key: string | undefined, maxLength: number): string | null {
  if (key === undefined || key === "") return null;
  if (key.length > maxLength)
    throw invalidRequest(`An idempotency key may have at most ${maxLength} characters.`);
  return key;
}
