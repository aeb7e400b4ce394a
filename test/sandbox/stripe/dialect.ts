/**
 * Stripe's side of the kit: what is particular to its API, in one list.
 */

import type { Answer, Dialect } from "../kit/dialect.ts";
import { header } from "../kit/http.ts";
import type { Reply } from "../kit/world.ts";
import { type ApiRequest, readRequest } from "./api-request.ts";
import { contradicting } from "./contradicting.ts";
import { control } from "./control.ts";
import { decisions } from "./decisions.ts";
import { type ErrorBody, errorReply } from "./errors.ts";
import { webhooks } from "./events.ts";
import { subjectOf } from "./fault-subject.ts";
import { canonicalPairs } from "./form.ts";
import { newId } from "./ids.ts";
import { Params } from "./params.ts";
import { OPERATIONS } from "./route.ts";
import { findRoute } from "./router.ts";
import { stripeSettings } from "./settings.ts";
import { newMemory, type StripeWorld } from "./store.ts";

/** The version that is answered to a client that names none. */
const DEFAULT_API_VERSION = "2026-10-28.endive";

export const MAX_BODY_BYTES = 64 * 1024;

export const stripe: Dialect<StripeWorld> = {
  name: "stripe",
  settings: stripeSettings,
  operations: OPERATIONS,
  quirks: ["contradict_status"],
  maxBodyBytes: MAX_BODY_BYTES,
  memory: newMemory,
  operationOf: (method, path) => findRoute(method, path)?.route.operation ?? "other",
  read: readRequest,
  prepare: ({ route, form, id }) => contradicting(route.prepare(new Params(form.fields), id)),
  parameters: ({ form }) => canonicalPairs(form.pairs),
  subject: subjectOf,
  refusals: {
    bodyTooLarge: (limitBytes) =>
      refused(413, {
        type: "invalid_request_error",
        message: `The body is larger than ${limitBytes} bytes.`,
      }),
    keyInUse: () =>
      refused(409, {
        type: "invalid_request_error",
        code: "idempotency_key_in_use",
        message: "Another request with this idempotency key is still being executed. Try again later.",
      }),
    keyMismatch: () =>
      refused(400, {
        type: "idempotency_error",
        message: "This idempotency key was first used with another path or other parameters.",
      }),
    rateLimited: () => failed(429),
    failed,
  },
  headers,
  newRequestId: () => newId("req"),
  garbage: '{"id": "pi_<html><title>502',
  decisions,
  webhooks,
  control,
};

function refused(status: number, error: ErrorBody): Reply {
  return errorReply(status, error);
}

/** The error object for a status that a fault rule gives. */
function failed(status: number): Reply {
  const type = status >= 500 ? "api_error" : "invalid_request_error";
  const code = status === 429 ? { code: "rate_limit" } : status === 409 ? { code: "lock_timeout" } : {};
  return refused(status, { type, message: `The provider answers ${status}.`, ...code });
}

/** The headers that Stripe gives. A request that could not be read is answered without its key. */
function headers(
  answer: Answer,
  request: ApiRequest | null,
  message: Parameters<typeof header>[0],
): Readonly<Record<string, string>> {
  const key = request?.idempotencyKey ?? null;
  return {
    "cache-control": "no-cache, no-store",
    "request-id": answer.requestId,
    "stripe-version": header(message, "stripe-version") ?? DEFAULT_API_VERSION,
    ...(key === null
      ? {}
      : { "idempotency-key": key, "original-request": answer.originalRequestId ?? answer.requestId }),
    ...(key !== null && answer.originalRequestId !== null ? { "idempotent-replayed": "true" } : {}),
    ...(answer.status === 401 ? { "www-authenticate": 'Basic realm="Stripe"' } : {}),
  };
}
