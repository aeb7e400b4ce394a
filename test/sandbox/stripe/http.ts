/**
 * Small pieces of HTTP: reading a body within a limit, reading the key, writing an answer.
 */

import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "./errors.ts";
import type { Answer } from "./execution.ts";

export const MAX_BODY_BYTES = 64 * 1024;

/** The version that is answered to a client that names none. */
export const DEFAULT_API_VERSION = "2026-10-28.endive";

/**
 * The whole body as text. Rejects with a 413 `Refusal` beyond the limit, and with the stream's error where the
 * client goes away in the middle.
 */
export function readBody(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    message.on("end", () => {
      if (bytes <= MAX_BODY_BYTES) return resolve(Buffer.concat(chunks).toString("utf8"));
      const tooLarge = `The body is larger than ${MAX_BODY_BYTES} bytes.`;
      reject(new Refusal(413, { type: "invalid_request_error", message: tooLarge }));
    });
    message.on("error", reject);
    message.on("close", () => {
      if (!message.complete) reject(new Error("the client went away"));
    });
  });
}

/** A header's value; of a repeated header the first. */
export function header(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Throws a 401 `Refusal` unless the secret key was sent, as a bearer token or as a basic user name. */
export function authenticateKey(message: IncomingMessage, apiKey: string): void {
  const given = givenKey(header(message, "authorization"));
  if (given !== undefined && sameText(given, apiKey)) return;
  const text =
    given === undefined ? "No API key was provided." : `Invalid API Key provided: ${masked(given)}`;
  throw new Refusal(401, { type: "invalid_request_error", message: text });
}

function givenKey(authorization: string | undefined): string | undefined {
  const [scheme = "", value = ""] = (authorization ?? "").split(" ");
  if (scheme.toLowerCase() === "bearer" && value !== "") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const user = Buffer.from(value, "base64").toString("utf8").split(":")[0];
  return user === "" ? undefined : user;
}

function masked(key: string): string {
  return key.length <= 12 ? "****" : `${key.slice(0, 8)}****${key.slice(-4)}`;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Writes an API answer with the headers that Stripe gives. */
export function writeAnswer(
  response: ServerResponse,
  answer: Answer,
  request: { readonly idempotencyKey: string | null; readonly apiVersion: string | null },
): void {
  const headers: Record<string, string | number> = {
    "content-type": "application/json",
    "content-length": answer.body.length,
    "cache-control": "no-cache, no-store",
    "request-id": answer.requestId,
    "stripe-version": request.apiVersion ?? DEFAULT_API_VERSION,
  };
  if (request.idempotencyKey !== null) {
    headers["idempotency-key"] = request.idempotencyKey;
    headers["original-request"] = answer.originalRequestId ?? answer.requestId;
    if (answer.originalRequestId !== null) headers["idempotent-replayed"] = "true";
  }
  if (answer.status === 401) headers["www-authenticate"] = 'Basic realm="Stripe"';
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}

/** Writes JSON for the control API. */
export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
  response.end(text);
}
