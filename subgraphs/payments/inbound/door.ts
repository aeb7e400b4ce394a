import { createHash } from "node:crypto";
import { jwtVerify } from "jose";
import { IDENTITY_HEADER, type VerifyingKeys } from "../../kernel/identity.ts";

/** Where providers' own messages come in: webhooks, and results of 3-D Secure from the directory server. */
export type InboundDoor = {
  /**
   * `provider` is a connector's name, or "three-ds"; `body` the bytes as the provider sent and signed them. `headers` are those
   * of INBOUND_HEADERS that came, in lower case, the edge's own word for the message, and ENDPOINT_HEADER if the
   * address had an endpoint. Answers what the provider is to hear: 404 for a provider that is not known here.
   */
  receive(
    provider: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
  ): Promise<InboundAnswer>;
};

export type InboundAnswer = {
  readonly status: number;
  readonly body: string;
  /** Plain text unless said otherwise. */
  readonly contentType?: "application/json" | "text/plain";
};

/** Which of an account's addresses at the provider it was: "eu-1" of /webhooks/adyen/eu-1. Never the sender's own header. */
export const ENDPOINT_HEADER = "tessera-endpoint";
/** On every answer of the door's, so that the edge knows it from an answer of something in between. */
export const ANSWERED_HEADER = "tessera-inbound";

/** What the edge passes on of a message's headers. */
export const INBOUND_HEADERS = [
  "content-type",
  "user-agent",
  "authorization",
  "stripe-signature",
  "x-mollie-signature",
  "x-ds-signature",
  "hmacsignature",
  "tessera-signature",
] as const;

/** The parts of a message's address, or null if it is not one. */
export function inboundAddress(path: string): { provider: string; endpoint: string | null } | null {
  const [, provider, endpoint = null] =
    /^\/webhooks\/([a-z][a-z0-9-]{0,31})(?:\/([\w-]{1,64}))?$/.exec(path) ?? [];
  return provider === undefined ? null : { provider, endpoint };
}

/**
 * Whether the edge says that this message came in to it: at this path, as these bytes, in the last seconds. It says nothing
 * about who sent it. The word is made in edge/forward/inbound-word.ts.
 */
export async function isFromEdge(
  token: string | undefined,
  message: { readonly path: string; readonly body: Uint8Array },
  keys: VerifyingKeys,
  at: Date,
): Promise<boolean> {
  if (token === undefined) return false;
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.get(kid);
        if (key === undefined) throw new Error("unknown key");
        return key;
      },
      {
        audience: "region-inbound",
        algorithms: ["EdDSA"],
        currentDate: at,
        clockTolerance: 5,
        requiredClaims: ["exp", "iat"],
        maxTokenAge: 30,
      },
    );
    const digest = createHash("sha256").update(message.body).digest("base64url");
    return payload["path"] === message.path && payload["sha256"] === digest;
  } catch {
    return false;
  }
}

/** How long a process next door may take. */
const NEXT_DOOR_MS = 20_000;

/**
 * The door of a payments subgraph that runs in a process of its own, at `origin`. The message goes on as it is with the
 * edge's word for it, which that process verifies again. Throws if it does not answer.
 */
export function doorElsewhere(origin: string): InboundDoor {
  return {
    async receive(provider, headers, body) {
      const { [ENDPOINT_HEADER]: endpoint, ...passed } = headers;
      const path = `/webhooks/${provider}${endpoint === undefined ? "" : `/${endpoint}`}`;
      const answer = await fetch(origin + path, {
        method: "POST",
        headers: passed,
        body: new Uint8Array(body),
        redirect: "manual",
        signal: AbortSignal.timeout(NEXT_DOOR_MS),
      });
      if (answer.headers.get(ANSWERED_HEADER) !== "answered")
        throw new Error(`${origin} answered ${answer.status} to a message for ${provider}`);
      const json = /^application\/json\b/.test(answer.headers.get("content-type") ?? "");
      return {
        status: answer.status,
        body: await answer.text(),
        contentType: json ? "application/json" : "text/plain",
      };
    },
  };
}

/** Of a request's headers those that the door is given. */
export function inboundHeaders(
  from: Readonly<Record<string, string | readonly string[] | undefined>>,
  endpoint: string | null,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of [...INBOUND_HEADERS, IDENTITY_HEADER]) {
    const value = from[name];
    if (typeof value === "string") headers[name] = value;
  }
  if (endpoint !== null) headers[ENDPOINT_HEADER] = endpoint;
  return headers;
}
