/**
 * One request, executed: key, latency, parameters, work, journal, answer. Faults have been chosen before; what
 * remains of them here is how they bend the work.
 *
 * A late request comes the same way, only later: it meets its idempotency key as that stands by then.
 */

import type { Answer, Dialect, Execution } from "./dialect.ts";
import { fingerprintOf, type KeyedResult } from "./idempotency.ts";
import { randomText } from "./ids.ts";
import type { SeededRandom } from "./random.ts";
import type { Store } from "./store.ts";
import { Work } from "./work.ts";
import { type Bending, Refusal, type Reply, type World } from "./world.ts";

/** How a fault bends one execution. */
export type Twist = Bending & {
  readonly delayMs?: number;
  /** The status to answer with after the work, and what the key remembers. */
  readonly statusAfter?: { readonly status: number; readonly stored: "status" | "result" };
};

export type ExecutionContext<T extends World> = {
  readonly dialect: Dialect<T>;
  readonly store: Store<T>;
  readonly random: SeededRandom;
  readonly settings: () => T["settings"];
  readonly now: () => number;
  readonly baseUrl: () => string;
  /** Called with each unit of work that was applied. */
  readonly applied: (work: Work<T>) => void;
};

/** What is the same for a request in a repeated run: its key, or else its endpoint. */
export function identityOf(request: {
  readonly method: string;
  readonly path: string;
  readonly idempotencyKey: string | null;
}): string {
  return request.idempotencyKey ?? `${request.method} ${request.path}`;
}

export async function execute<T extends World>(
  context: ExecutionContext<T>,
  request: T["request"],
  twist: Twist = {},
): Promise<Answer> {
  const requestId = newRequestId(context.dialect);
  const claimed = claimKey(context, request);
  if ("answer" in claimed) {
    await context.store.settled();
    return { ...claimed.answer, requestId };
  }
  const delayMs = latency(context, request) + (twist.delayMs ?? 0);
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  const answer = run(context, request, twist, requestId, claimed.fingerprint);
  // Not before it is remembered: an answer that a kill could make untrue must not leave the house.
  await context.store.settled();
  return answer;
}

export function newRequestId<T extends World>(dialect: Dialect<T>): string {
  return dialect.newRequestId?.() ?? randomText(24);
}

type Claim = { readonly fingerprint: string | null } | { readonly answer: Omit<Answer, "requestId"> };

function claimKey<T extends World>(context: ExecutionContext<T>, request: T["request"]): Claim {
  const { dialect, store } = context;
  const key = request.idempotencyKey;
  if (key === null) return { fingerprint: null };
  const fingerprint = fingerprintOf(request.method, request.path, dialect.parameters(request));
  const claim = store.keys.claim(key, fingerprint, context.now(), context.settings().idempotencyKeyTtlMs);
  switch (claim.kind) {
    case "started":
      return { fingerprint };
    case "replay": {
      const { status, body, headers = {}, requestId } = claim.result;
      return { answer: { status, body, headers, originalRequestId: requestId } };
    }
    case "in_use":
      return { answer: { ...bytesOf(dialect.refusals.keyInUse()), originalRequestId: null } };
    case "mismatch":
      return { answer: { ...bytesOf(dialect.refusals.keyMismatch()), originalRequestId: null } };
  }
}

function latency<T extends World>(context: ExecutionContext<T>, request: T["request"]): number {
  const { latencyMs, latencyJitterMs } = context.settings();
  if (latencyJitterMs === 0) return latencyMs;
  return latencyMs + context.random.draw(`latency ${identityOf(request)}`) * latencyJitterMs;
}

/** Executes without waiting for anything, so that no two requests ever see each other half done. */
function run<T extends World>(
  context: ExecutionContext<T>,
  request: T["request"],
  twist: Twist,
  requestId: string,
  fingerprint: string | null,
): Answer {
  const { store, dialect } = context;
  const key = request.idempotencyKey;
  let execution: Execution<T>;
  try {
    execution = dialect.prepare(request);
  } catch (problem) {
    if (key !== null) store.keys.release(key);
    return { ...bytesOf(refusalReply(problem)), requestId, originalRequestId: null };
  }
  const { work, reply } = attempt(context, request, execution, twist);
  const result = bytesOf(reply);
  const given =
    twist.statusAfter === undefined ? result : bytesOf(dialect.refusals.failed(twist.statusAfter.status));
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
function attempt<T extends World>(
  context: ExecutionContext<T>,
  request: T["request"],
  execution: Execution<T>,
  bending: Bending,
): { work: Work<T>; reply: Reply } {
  const start = (): Work<T> => newWork(context, request.idempotencyKey, request);
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

export function newWork<T extends World>(
  context: ExecutionContext<T>,
  idempotencyKey: string | null,
  request: T["request"] | null,
): Work<T> {
  return new Work(context.store, {
    nowMs: context.now(),
    settings: context.settings(),
    baseUrl: context.baseUrl(),
    idempotencyKey,
    request,
  });
}

/** A refusal's reply. Anything else is a fault of the sandbox, and is thrown on. */
export function refusalReply(problem: unknown): Reply {
  if (problem instanceof Refusal) return problem.reply;
  throw problem;
}

/** A reply as it is sent. */
export function bytesOf(reply: Reply): Pick<Answer, "status" | "body" | "headers"> {
  const { status, body, headers = {} } = reply;
  return { status, headers, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
}
