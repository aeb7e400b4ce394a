import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type JWTPayload, jwtVerify } from "jose";
import { hashApiKey, newApiKey } from "../../subgraphs/kernel/api-key.ts";
import {
  IDENTITY_HEADER,
  type Identity,
  type KeyScope,
  type VerifyingKeys,
  verifyIdentity,
  verifyingKeys,
  verifyKeyLookup,
} from "../../subgraphs/kernel/identity.ts";
import { homeFor, type MerchantId, newId } from "../../subgraphs/kernel/ids.ts";

export type RegionRequest = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly identity: Identity | null;
};

/** A provider's message as the edge passed it on. */
export type InboundRequest = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** What the edge's word for it says, or null if it is not authentic. */
  readonly word: JWTPayload | null;
};

export type RegionAnswer = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
};

const HOME = homeFor(1, 7);

/**
 * A region reduced to what the edge sees of it: the key look-up, checked as a region checks it, and a GraphQL
 * endpoint and a door for providers' messages whose answers the test decides. Keeps everything it received.
 */
export class RegionDouble {
  readonly requests: RegionRequest[] = [];
  readonly lookups: string[] = [];
  url = "";
  /** Decides the next answers of POST /graphql; "hang" never answers, "reset" breaks the connection. */
  answer: (request: RegionRequest) => RegionAnswer | "hang" | "reset" | Promise<RegionAnswer | "reset"> =
    () => ({
      body: '{"data":{"__typename":"Query"}}',
    });
  /** Decides look-ups in place of the stored keys, while set. */
  lookupAnswer: (() => RegionAnswer | "hang" | Promise<RegionAnswer | null>) | null = null;
  /** Providers' messages, and what they are answered. */
  readonly inbound: InboundRequest[] = [];
  inboundAnswer: () => RegionAnswer | "hang" | "reset" = () => ({
    headers: { "tessera-inbound": "answered", "content-type": "text/plain" },
    body: "[accepted]",
  });
  #owners = new Map<string, { merchant: MerchantId; scope: KeyScope }>();
  #verifying: string;
  #server = createServer((request, response) => {
    void this.#serve(request, response).catch(() => request.socket.destroy());
  });

  /** `edgeVerifyingKeys`: EDGE_VERIFYING_KEYS of the development secrets. */
  constructor(edgeVerifyingKeys: string) {
    this.#verifying = edgeVerifyingKeys;
  }

  async listen(port = 0): Promise<void> {
    // Longer than workerd keeps an idle connection: or it sends a request into one that is just being closed.
    this.#server.keepAliveTimeout = 30_000;
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  newMerchant(): MerchantId {
    return newId("mer", HOME, new Date());
  }

  async issueKey(scope: KeyScope, merchant: MerchantId = this.newMerchant()): Promise<string> {
    const key = newApiKey(scope, HOME);
    this.#owners.set(await hashApiKey(key), { merchant, scope });
    return key;
  }

  async revoke(key: string): Promise<void> {
    this.#owners.delete(await hashApiKey(key));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? "";
    const identityToken = request.headers[IDENTITY_HEADER];
    const token = typeof identityToken === "string" ? identityToken : undefined;
    const keys = await verifyingKeys(JSON.parse(this.#verifying));

    const hash = /^\/internal\/api-keys\/([0-9a-f]{64})\?shard=\d+$/.exec(path)?.[1];
    if (hash !== undefined) {
      this.lookups.push(hash);
      if (!(await verifyKeyLookup(token, keys, new Date())))
        return end(response, { status: 401, body: "{}" });
      const decided = await this.lookupAnswer?.();
      if (decided === "hang") return;
      const owner = this.#owners.get(hash);
      if (decided) return end(response, decided);
      return end(response, owner ? { body: JSON.stringify(owner) } : { status: 404, body: "{}" });
    }

    if (path.startsWith("/webhooks/")) {
      const bytes = Buffer.concat(chunks);
      this.inbound.push({ path, headers: request.headers, bytes, word: await inboundWord(token, keys) });
      const answer = this.inboundAnswer();
      if (answer === "hang") return;
      if (answer === "reset") return void request.socket.destroy();
      return end(response, answer);
    }

    const verified = await verifyIdentity(token, keys, new Date());
    const identity = verified.ok ? verified.value : null;
    const received = { path, headers: request.headers, body: Buffer.concat(chunks).toString(), identity };
    this.requests.push(received);
    if (identity === null) return end(response, { status: 401, body: '{"errors":[{"message":"401"}]}' });
    const answer = await this.answer(received);
    if (answer === "hang") return;
    if (answer === "reset") return void request.socket.destroy();
    end(response, answer);
  }
}

async function inboundWord(token: string | undefined, keys: VerifyingKeys): Promise<JWTPayload | null> {
  const options = { audience: "region-inbound", algorithms: ["EdDSA"], requiredClaims: ["exp"] };
  const key = keys.values().next().value;
  if (token === undefined || key === undefined) return null;
  return jwtVerify(token, key, options).then(
    ({ payload }) => payload,
    () => null,
  );
}

function end(response: ServerResponse, { status = 200, headers = {}, body }: RegionAnswer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
