import { Pool } from "undici";
import type { MerchantId } from "../../kernel/ids.ts";
import type { ProviderRequest } from "../domain/operation.ts";
import type { VaultClient } from "../vault/client.ts";
import type { ProviderResponse, Send } from "./connector.ts";

/**
 * Sends provider requests: those with card placeholders through the vault's proxy, all others directly. It
 * never repeats a request by itself. Whatever comes back that is not an HTTP answer of the provider's is
 * `lost`, because the provider may have acted; `not_sent` only where the vault says that it refused.
 */
export interface ProviderTransport {
  sendFor(merchant: MerchantId): Send;
  close(): Promise<void>;
}

export type TransportOptions = {
  readonly provider: { readonly baseUrl: string; readonly secretKey: string; readonly version: string };
  readonly vault: VaultClient;
  /** How long an answer is waited for, in ms. */
  readonly deadlineMs: number;
  readonly connections?: number;
};

/** A provider's answer to one operation is small; more than this is not one. */
const MAX_ANSWER_BYTES = 1_000_000;

export function createStripeTransport(options: TransportOptions): ProviderTransport {
  const { provider, vault, deadlineMs } = options;
  const pool = new Pool(provider.baseUrl, { connections: options.connections ?? 128, pipelining: 1 });

  const headersOf = (request: ProviderRequest, reference: string): Record<string, string> => ({
    authorization: `Bearer ${provider.secretKey}`,
    "stripe-version": provider.version,
    ...(request.method === "POST"
      ? { "content-type": "application/x-www-form-urlencoded", "idempotency-key": reference }
      : {}),
  });

  const direct = async (request: ProviderRequest, reference: string): Promise<ProviderResponse> => {
    const response = await pool.request({
      method: request.method,
      path: request.path,
      headers: headersOf(request, reference),
      body: request.body,
      headersTimeout: deadlineMs,
      bodyTimeout: deadlineMs,
    });
    return {
      kind: "http",
      status: response.statusCode,
      headers: plain(response.headers),
      body: await bounded(response.body),
    };
  };

  const throughVault = async (
    merchant: MerchantId,
    token: string,
    request: ProviderRequest,
    reference: string,
  ): Promise<ProviderResponse> => {
    const { status, headers, body } = await vault.egress({
      merchant,
      token,
      reference,
      url: provider.baseUrl + request.path,
      headers: headersOf(request, reference),
      body: request.body ?? "",
      // The vault's own deadline is the provider's; its answer needs a little longer to come back.
      deadlineMs: deadlineMs + 1_000,
    });
    const outcome = headers["tessera-egress"];
    if (outcome === "forwarded") return { kind: "http", status, headers: plain(headers), body };
    const code = errorCode(body);
    if (outcome === "refused") return { kind: "not_sent", code, because: `the vault refused: ${code}` };
    return { kind: "lost", because: `the vault lost it: ${status} ${code}` };
  };

  return {
    sendFor: (merchant) => async (request, reference) => {
      try {
        if (request.token === null) return await direct(request, reference);
        return await throughVault(merchant, request.token, request, reference);
      } catch (error) {
        const { code, message } = error as { code?: string; message?: string };
        return { kind: "lost", because: code ?? message ?? "the connection failed" };
      }
    },
    close: () => pool.close(),
  };
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
