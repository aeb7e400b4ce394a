import type { ApiContext } from "./app.ts";

/**
 * What the edge itself refuses, in the shape of GraphQL errors, so that a client reads one format whoever
 * answered. Every message says how to mend it.
 */
const ERRORS = {
  UNAUTHENTICATED: [401, "Send `Authorization: Bearer sk_…` (or pk_…) with an API key that is active."],
  FORBIDDEN: [
    403,
    "Secret keys belong on servers: a browser must use the publishable key (pk_…). Revoke this secret key if a page contains it.",
  ],
  NOT_FOUND: [404, "There is nothing at this address. The API is POST /graphql."],
  METHOD_NOT_ALLOWED: [405, "Send GraphQL requests with POST and a JSON body."],
  PAYLOAD_TOO_LARGE: [413, "The request body is larger than 64 KiB. Split the operation into smaller ones."],
  UNSUPPORTED_MEDIA_TYPE: [
    415,
    'Send `Content-Type: application/json` and a body such as {"query": "{ __typename }"}.',
  ],
  INTERNAL: [500, "Something went wrong at the edge. Report the request id if it stays."],
  UNAVAILABLE: [
    503,
    "The region did not answer. Send the same request again with the same idempotencyKey: it will not be carried out twice.",
  ],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type ApiErrorCode = keyof typeof ERRORS;

/** When to come again after UNAVAILABLE, in ms: some part of it by chance, or all would come at once. */
const RETRY_MS = 1_000;

/** `{"errors": [{message, extensions: {code, requestId}}]}`; `status` where one code has several. */
export function refusal(c: ApiContext, code: ApiErrorCode, status: number = ERRORS[code][0]): Response {
  const headers: Record<string, string> = {};
  const later: { retryAfterMs?: number } = {};
  if (code === "UNAVAILABLE") {
    later.retryAfterMs = Math.round(RETRY_MS * (1 + Math.random()));
    headers["retry-after"] = String(Math.ceil(later.retryAfterMs / 1_000));
  }
  if (code === "UNAUTHENTICATED") headers["www-authenticate"] = "Bearer";
  if (code === "METHOD_NOT_ALLOWED") headers["allow"] = "POST, OPTIONS";
  const extensions = { code, requestId: c.get("requestId"), ...later };
  const [, message] = ERRORS[code];
  return Response.json({ errors: [{ message, extensions }] }, { status, headers });
}
