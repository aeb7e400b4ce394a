import type { Redis } from "@upstash/redis";
import { Pool } from "undici";

/**
 * How Upstash's client reaches Redis here: over a pool of connections of our own, in place of its own way by `fetch`, which
 * costs several times the CPU of reading the database, has no bound on an answer's size, and sends a request that failed
 * twice even when told not to repeat any.
 */
export type UpstashRequester = ConstructorParameters<typeof Redis>[0] & {
  readonly close: () => Promise<void>;
};

type UpstashRequest = { readonly path?: string[]; readonly body?: unknown };

const MAX_ANSWER_BYTES = 256 * 1024;
/** With it a client reads what it has written, also from a replica that lags. */
const SYNC_TOKEN = "upstash-sync-token";

/**
 * Requests reject where there is no answer within `timeoutMs`, a status other than 200, or an answer that is no JSON or
 * too large. What was sent is in no error.
 */
export function createRequester(options: {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly connections: number;
}): UpstashRequester {
  const { origin, pathname } = new URL(options.url);
  const base = pathname.replace(/\/$/, "");
  const pool = new Pool(origin, { connections: options.connections, pipelining: 1 });
  const headers = { authorization: `Bearer ${options.token}`, "content-type": "application/json" };
  let syncToken = "";

  async function request({ path = [], body }: UpstashRequest): Promise<unknown> {
    const answer = await pool.request({
      method: "POST",
      path: `${base}/${path.join("/")}`,
      headers: { ...headers, [SYNC_TOKEN]: syncToken },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const text = await bounded(answer.body);
    if (answer.statusCode !== 200) throw new Error(`Redis answered ${answer.statusCode}`);
    const token = answer.headers[SYNC_TOKEN];
    if (typeof token === "string") syncToken = token;
    return JSON.parse(text);
  }
  return { request: request as never, close: () => pool.destroy() };
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > MAX_ANSWER_BYTES) throw new Error("Redis answered more than is read");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
