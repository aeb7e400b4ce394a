/**
 * Stripe's error object and the exception that carries it.
 *
 * Handlers throw a `Refusal`; the pipeline catches it once and writes it to the wire. Messages are in our own
 * words: Stripe documents codes and parameters as stable, never the prose.
 * Source: the `api_errors` schema of Stripe's OpenAPI description, and docs.stripe.com/error-codes.
 */

import { Refusal as KitRefusal, type Reply } from "../kit/world.ts";

export type ErrorType = "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";

/** The `error` member of an answer; members that do not apply are left out, not null. */
export type ErrorBody = {
  type: ErrorType;
  message: string;
  code?: string;
  decline_code?: string;
  doc_url?: string;
  param?: string;
  charge?: string;
  payment_intent?: object;
  payment_method?: object;
};

/** A request that is answered with an error. `status` is the HTTP status. */
export class Refusal extends KitRefusal {
  constructor(status: number, body: ErrorBody) {
    super(errorReply(status, body), body.message);
  }
}

/** An error object as it is answered. */
export function errorReply(status: number, body: ErrorBody): Reply {
  return { status, body: { error: withDocumentation(body) } };
}

/** Adds the link to the code's documentation, which Stripe gives with every coded error. */
export function withDocumentation(body: ErrorBody): ErrorBody {
  if (body.code === undefined || body.doc_url !== undefined) return body;
  return { ...body, doc_url: `https://stripe.com/docs/error-codes/${body.code.replaceAll("_", "-")}` };
}

type Details = Omit<ErrorBody, "type" | "message">;

/** 400 `invalid_request_error`: the usual refusal. */
export function invalidRequest(message: string, details: Details = {}): Refusal {
  return new Refusal(400, { type: "invalid_request_error", message, ...details });
}

/**
 * `resource_missing`. Stripe answers 404 where the id is in the path (and for the charge or payment intent of
 * a refund), and 400 where another parameter names something that does not exist.
 */
export function resourceMissing(noun: string, id: string, param: string, status: 400 | 404 = 404): Refusal {
  return new Refusal(status, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such ${noun}: '${id}'`,
    param,
  });
}

/** 402 `card_error` for card details that cannot be a card; nothing was attempted, so there is no charge. */
export function invalidCard(code: string, message: string, param: string): Refusal {
  return new Refusal(402, { type: "card_error", code, message, param });
}
