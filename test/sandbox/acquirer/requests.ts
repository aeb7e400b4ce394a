/** A request as it came, read: who sends, what for, and whether the message is one. */

import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Incoming } from "../kit/dialect.ts";
import { Router } from "../kit/router.ts";
import { Refusal, type Reply } from "../kit/world.ts";
import type { AcquirerRequest } from "./acquirer-world.ts";
import { digestOf, type Heading, messageOf } from "./message.ts";
import { apiKeyOf, checkAuthorization } from "./signature.ts";

/** schema.json, with one of its definitions as what is described. */
export function schemaOf(name: string): z.ZodType {
  const file = readFileSync(new URL("./schema.json", import.meta.url), "utf8");
  return z.fromJSONSchema({ ...(JSON.parse(file) as object), $ref: `#/$defs/${name}` });
}

/** The definitions of request messages, by the first three digits of their type. */
const REQUESTS: Readonly<Record<string, readonly z.ZodType[]>> = {
  "010": [schemaOf("authorization"), schemaOf("increment")],
  "012": [schemaOf("authorizationAdvice")],
  "020": [schemaOf("sale"), schemaOf("refund")],
  "022": [schemaOf("completion")],
  "040": [schemaOf("reversal")],
  "042": [schemaOf("reversalAdvice")],
  "080": [schemaOf("echo")],
};

export const routes = new Router([
  ["POST", "/v1/messages", "send"],
  ["GET", "/v1/messages/:reference", "lookup"],
] as const);

export const errorReply = (status: number, code: string, message: string): Reply => ({
  status,
  body: { error: { code, message } },
});

const formatError = (message: string): Refusal => new Refusal(errorReply(400, "format_error", message));

export function readRequest(
  { message: incoming, method, path, query, body }: Incoming,
  apiKey: string,
): AcquirerRequest {
  const json = method === "GET" ? null : parsed(body);
  const place = { method, path: query === "" ? path : `${path}?${query}`, body: json };
  const word = checkAuthorization(incoming.headers.authorization, apiKeyOf(apiKey), place, Date.now());
  if (word !== "right") throw new Refusal(errorReply(401, word, "The authorization header is not right."));
  const found = routes.find(method, path);
  if (found === undefined) throw new Refusal(errorReply(404, "format_error", "There is nothing here."));
  if (found.value === "lookup") {
    const reference = decodeURIComponent(found.ids[0] ?? "");
    return { method, path, operation: "lookup", idempotencyKey: null, message: null, digest: "", reference };
  }
  const fields = messageFields(json);
  const message = messageOf(fields);
  const digest = digestOf(fields);
  const { reference } = fields;
  // The kit's keys would go on repeating the answer of a message that was reversed since: its record knows better.
  return { method, path, operation: message.kind, idempotencyKey: null, message, digest, reference };
}

function parsed(body: string): object {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  } catch {
    // Said below.
  }
  throw formatError("The body is not a JSON object.");
}

function messageFields(json: object | null): Heading & { readonly mti: string } {
  const mti = json !== null && "mti" in json && typeof json.mti === "string" ? json.mti : "";
  const kinds = REQUESTS[mti.slice(0, 3)];
  if (kinds === undefined) throw formatError("There is no message of this type.");
  const results = kinds.map((kind) => kind.safeParse(json));
  if (results.some(({ success }) => success)) return json as Heading & { readonly mti: string };
  const [issue] = results.flatMap(({ error }) => error?.issues ?? []);
  throw formatError(`${issue?.path.join(".") || "the message"}: ${issue?.message ?? "does not fit"}`);
}
