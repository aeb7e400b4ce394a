import type { IncomingMessage, ServerResponse } from "node:http";

/** Reading requests and answering them. */

const MAX_BODY_BYTES = 128 * 1024;

export const errorBody = (code: string, message: string) => ({ errors: [{ message, extensions: { code } }] });

export function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}

/** The whole body, or undefined after having answered 413. */
export async function readBytes(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      response.setHeader("connection", "close");
      reply(response, 413, errorBody("PAYLOAD_TOO_LARGE", `A request is at most ${maxBytes} bytes.`));
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The JSON body, or undefined after having answered 413 or 400. */
export async function readJson(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const bytes = await readBytes(request, response, MAX_BODY_BYTES);
  if (bytes === undefined) return undefined;
  try {
    const body: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // Answered below.
  }
  reply(
    response,
    400,
    errorBody("BAD_REQUEST", "The body must be a JSON object with `query` and `variables`."),
  );
  return undefined;
}
