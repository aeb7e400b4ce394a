import { Pool } from "undici";
import type { MerchantId } from "../../kernel/ids.ts";
import type { ProviderRequest } from "../domain/operation.ts";
import type { VaultClient } from "../vault/client.ts";
import type { ProviderResponse, Send } from "./connector.ts";

/**
 * Sends provider requests: those with card placeholders through the vault's proxy, all others directly. It never repeats a
 * request by itself. What comes back and is not an HTTP answer of the provider's is `lost`, because the provider may have
 * acted; `not_sent` only where nothing can have left: the vault refused it, no connection was made, or there was no room.
 */
export interface ProviderTransport {
  /** How to reach a provider, by its connector's name; `not_sent` for one that is not configured. */
  sendFor(provider: string, merchant: MerchantId): Send;
  close(): Promise<void>;
}

/** Where a provider is, and who we are there. */
export type ProviderAccount = {
  /** Origin and, for some, the beginning of all paths: "https://checkout-test.adyen.com/v72". */
  readonly baseUrl: string;
  /** Authentication, API version and idempotency key; the content type is added to what has a body. */
  readonly headers: (request: ProviderRequest, reference: string) => Readonly<Record<string, string>>;
  readonly contentType: "application/x-www-form-urlencoded" | "application/json";
  /** Requests under way at the same time, on a connection each; as many more may wait. 128 unless said otherwise. */
  readonly maxConnections?: number;
};

export type TransportOptions = {
  /** By the connector's name. */
  readonly providers: Readonly<Record<string, ProviderAccount>>;
  readonly vault: VaultClient;
  /** How long an answer is waited for from the call on, in ms: waiting for room, connecting, headers and body. */
  readonly deadlineMs: number;
};

/** A provider's answer to one operation is small; more than this is not one. */
const MAX_ANSWER_BYTES = 1_000_000;
const DEFAULT_CONNECTIONS = 128;
/** A connection that takes longer than this fails as long as it is certain that nothing was sent on it. */
const MAX_CONNECT_MS = 3_000;
/** The vault's own deadline is the provider's; its answer needs a little longer to come back. */
const VAULT_GRACE_MS = 1_000;
const NO_ANSWER = "no answer in time";

/** Errors that a connection can only have before it exists, and of requests that were never begun. */
const NOTHING_LEFT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_CLOSED",
]);

type Provider = {
  readonly account: ProviderAccount;
  readonly origin: string;
  /** What all paths begin with; without a slash at its end. */
  readonly prefix: string;
  readonly pool: Pool;
  readonly room: Bulkhead;
};

/** One provider's failures stay its own: each has its pool of connections and its own room for requests under way. */
export function createProviderTransport({
  providers,
  vault,
  deadlineMs,
}: TransportOptions): ProviderTransport {
  const known = new Map(
    Object.entries(providers).map(([name, account]) => [name, openProvider(account, deadlineMs)]),
  );
  return {
    sendFor: (name, merchant) => {
      const provider = known.get(name);
      return async (request, reference) => {
        if (provider === undefined) return notSent("PROVIDER_NOT_CONFIGURED", `there is no ${name} here`);
        const until = performance.now() + deadlineMs;
        const leave = await provider.room.enter(deadlineMs / 4);
        if (leave === null) return notSent("PROVIDER_BUSY", "too many requests to it are under way");
        try {
          return await sendOnce(provider, vault, { request, reference, merchant, until });
        } finally {
          leave();
        }
      };
    },
    async close() {
      await Promise.all(Array.from(known.values(), ({ pool }) => pool.close()));
    },
  };
}

function openProvider(account: ProviderAccount, deadlineMs: number): Provider {
  const { origin, pathname, search } = new URL(account.baseUrl);
  if (search !== "") throw new Error(`a base URL has no query: ${account.baseUrl}`);
  const connections = account.maxConnections ?? DEFAULT_CONNECTIONS;
  const pool = new Pool(origin, {
    connections,
    // One request at a time on a connection, so that a broken one loses one answer and nothing is sent again.
    pipelining: 1,
    allowH2: false,
    connect: { timeout: Math.min(MAX_CONNECT_MS, deadlineMs / 2) },
    // The deadline covers all of it, and ends what these would.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return { account, origin, prefix: pathname.replace(/\/$/, ""), pool, room: new Bulkhead(connections) };
}

type Errand = {
  readonly request: ProviderRequest;
  readonly reference: string;
  readonly merchant: MerchantId;
  /** On performance.now()'s clock. */
  readonly until: number;
};

async function sendOnce(provider: Provider, vault: VaultClient, errand: Errand): Promise<ProviderResponse> {
  const { request, reference } = errand;
  const { account } = provider;
  try {
    const type: Record<string, string> = request.body === null ? {} : { "content-type": account.contentType };
    const headers = { ...account.headers(request, reference), ...type };
    return request.token === null
      ? await direct(provider, errand, headers)
      : await throughVault(provider, vault, errand, request.token, headers);
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    const because = code ?? message ?? "the connection failed";
    return NOTHING_LEFT.has(because) ? notSent("UNREACHABLE", because) : { kind: "lost", because };
  }
}

async function direct(
  { pool, prefix }: Provider,
  { request: { method, path, body }, until }: Errand,
  headers: Readonly<Record<string, string>>,
): Promise<ProviderResponse> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error(NO_ANSWER)), until - performance.now());
  try {
    const { signal } = deadline;
    const response = await pool.request({ method, path: prefix + path, headers, body, signal });
    const text = await bounded(response.body);
    return { kind: "http", status: response.statusCode, headers: plain(response.headers), body: text };
  } finally {
    clearTimeout(timer);
  }
}

async function throughVault(
  { origin, prefix }: Provider,
  vault: VaultClient,
  { merchant, request, reference, until }: Errand,
  token: string,
  headers: Readonly<Record<string, string>>,
): Promise<ProviderResponse> {
  if (request.method !== "POST" || request.body === null)
    return notSent("REQUEST_UNSENDABLE", "a card is sent by POST, in a body");
  const deadlineMs = Math.ceil(until - performance.now()) + VAULT_GRACE_MS;
  const url = origin + prefix + request.path;
  const { body } = request;
  // The vault gives the security code to whom it was promised: all attempts of a payment share that reference.
  const promised = request.promisedTo ?? reference;
  const asked = vault.egress({ merchant, token, reference: promised, url, headers, body, deadlineMs });
  const answer = await within(deadlineMs, asked);
  const outcome = answer.headers["tessera-egress"];
  if (outcome === "forwarded")
    return { kind: "http", status: answer.status, headers: plain(answer.headers), body: answer.body };
  const code = errorCode(answer.body);
  if (outcome === "refused") return notSent(code, `the vault refused: ${code}`);
  return { kind: "lost", because: `the vault lost it: ${answer.status} ${code}` };
}

/** Room for requests under way: `limit` of them, and as many more that wait for it in their order. */
class Bulkhead {
  readonly #limit: number;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Gives the way out, to be called once; null if there was no room within `waitMs`. */
  async enter(waitMs: number): Promise<(() => void) | null> {
    if (this.#inside < this.#limit) this.#inside++;
    else if (this.#waiting.size >= this.#limit || !(await this.#wait(waitMs))) return null;
    return () => this.#leave();
  }

  async #wait(waitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const admitted = () => resolve(true);
    this.#waiting.add(admitted);
    const timer = setTimeout(() => {
      this.#waiting.delete(admitted);
      resolve(false);
    }, waitMs);
    const entered = await promise;
    clearTimeout(timer);
    return entered;
  }

  /** Whoever has waited longest takes the place over, so the count stays. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}

const notSent = (code: string, because: string): ProviderResponse => ({ kind: "not_sent", code, because });

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(NO_ANSWER)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function plain(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const out = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") out.set(name, value);
  }
  return out;
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function errorCode(body: string): string {
  try {
    const { error, code } = JSON.parse(body) as { error?: { code?: string }; code?: string };
    return error?.code ?? code ?? "unknown";
  } catch {
    return "unknown";
  }
}
