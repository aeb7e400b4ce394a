/**
 * Reading a request as Stripe's API does: the secret key, the endpoint, the form, the idempotency key.
 */

import type { Incoming } from "../kit/dialect.ts";
import { authorizationKey, header, sameText } from "../kit/http.ts";
import { invalidRequest, Refusal } from "./errors.ts";
import { type DecodedForm, decodeForm } from "./form.ts";
import type { Operation, Route } from "./route.ts";
import { findRoute } from "./router.ts";

/** As documented: docs.stripe.com/api/idempotent_requests. */
export const MAX_KEY_LENGTH = 255;

export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly route: Route;
  /** The id in the path, or empty. */
  readonly id: string;
  readonly form: DecodedForm;
  /** Null for what is not a POST: keys have no effect there. */
  readonly idempotencyKey: string | null;
  /** The `Stripe-Version` that the client named, if any. */
  readonly apiVersion: string | null;
};

/** Everything of the request that does not depend on what the sandbox knows. Throws a `Refusal`. */
export function readRequest(incoming: Incoming, apiKey: string): ApiRequest {
  const { message, method, path, query, body } = incoming;
  authenticateKey(authorizationKey(message), apiKey);
  const found = findRoute(method, path);
  if (found === undefined) {
    const text = `Unrecognized request URL (${method}: ${path}).`;
    throw new Refusal(404, { type: "invalid_request_error", message: text });
  }
  const type = header(message, "content-type");
  if (method === "POST" && type !== undefined && !type.startsWith("application/x-www-form-urlencoded")) {
    throw invalidRequest("A POST must be sent as application/x-www-form-urlencoded.");
  }
  const key = checkKey(header(message, "idempotency-key"));
  return {
    method,
    path,
    operation: found.route.operation,
    route: found.route,
    id: found.id,
    form: decodeForm(method === "POST" ? body : query),
    idempotencyKey: method === "POST" ? key : null,
    apiVersion: header(message, "stripe-version") ?? null,
  };
}

/** Throws a 401 `Refusal` unless the secret key was sent, as a bearer token or as a basic user name. */
function authenticateKey(given: string | undefined, apiKey: string): void {
  if (given !== undefined && sameText(given, apiKey)) return;
  const text =
    given === undefined ? "No API key was provided." : `Invalid API Key provided: ${masked(given)}`;
  throw new Refusal(401, { type: "invalid_request_error", message: text });
}

function masked(key: string): string {
  return key.length <= 12 ? "****" : `${key.slice(0, 8)}****${key.slice(-4)}`;
}

/** 400 where a key is longer than Stripe takes. */
function checkKey(key: string | undefined): string | null {
  if (key === undefined || key === "") return null;
  if (key.length > MAX_KEY_LENGTH)
    throw invalidRequest(`An idempotency key may have at most ${MAX_KEY_LENGTH} characters.`);
  return key;
}
