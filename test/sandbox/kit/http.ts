/**
 * Small pieces of HTTP: reading a body within a limit, comparing a key, writing an answer.
 */

import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** The client sent more than the sandbox reads. */
export class BodyTooLarge extends Error {
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`The body is larger than ${limitBytes} bytes.`);
    this.name = "BodyTooLarge";
    this.limitBytes = limitBytes;
  }
}

/**
 * The whole body as text. Rejects with `BodyTooLarge` beyond the limit, and with the stream's error where the
 * client goes away in the middle.
 */
export function readBody(message: IncomingMessage, limitBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
    });
    message.on("end", () => {
      if (bytes <= limitBytes) return resolve(Buffer.concat(chunks).toString("utf8"));
      reject(new BodyTooLarge(limitBytes));
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

/** The key of `authorization: Bearer …`, or the user name of `authorization: Basic …`. */
export function authorizationKey(message: IncomingMessage): string | undefined {
  const [scheme = "", value = ""] = (header(message, "authorization") ?? "").split(" ");
  if (scheme.toLowerCase() === "bearer" && value !== "") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const user = Buffer.from(value, "base64").toString("utf8").split(":")[0];
  return user === "" ? undefined : user;
}

/** Compares without telling by its time how much was alike. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Writes JSON for the control API. */
export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
  response.end(text);
}
