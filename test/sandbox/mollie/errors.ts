/**
 * Mollie's error object: a status with its reason phrase, a sentence, and the field that is wrong where there is one.
 */

import { STATUS_CODES } from "node:http";
import { Refusal, type Reply } from "../kit/world.ts";

const DOCUMENTATION = { documentation: { href: "https://docs.mollie.com/errors", type: "text/html" } };

export function errorReply(status: number, detail: string, field?: string): Reply {
  const title = STATUS_CODES[status] ?? "Error";
  const named = field === undefined ? {} : { field };
  return { status, body: { status, title, detail, ...named, _links: DOCUMENTATION } };
}

export function refuse(status: number, detail: string, field?: string): never {
  throw new Refusal(errorReply(status, detail, field), detail);
}

/** 422: something about the request, or about the state that the payment is in. */
export const unprocessable = (detail: string, field?: string): never => refuse(422, detail, field);

export const noSuchToken = (token: string): never => refuse(404, `No entity exists with token '${token}'`);
