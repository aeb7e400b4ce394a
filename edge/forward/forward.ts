import { IDENTITY_HEADER, REQUEST_ID_HEADER, signIdentity } from "../../subgraphs/kernel/identity.ts";
import type { ApiContext } from "../app.ts";
import { refusal } from "../errors.ts";
import { logFault } from "../http/log.ts";

/** Of the client's headers only these reach the region; whatever it calls `tessera-…` stays outside. */
const FROM_CLIENT = ["accept", "apollographql-client-name", "apollographql-client-version"];
/** Of the region's headers only these reach the client: with 429 and 503 it says when to come again. */
const FROM_REGION = ["content-type", "retry-after", "server-timing"];

/**
 * The last step: sends the request to the merchant's region with the edge's signed word about who asks.
 *
 * Once, never again: the edge cannot know whether a mutation that got no answer was carried out. The client can
 * repeat it safely, since its idempotencyKey makes the region answer with the first one's result; so that is
 * what the error says.
 */
export async function forwardToRegion(c: ApiContext): Promise<Response> {
  const { regionUrl, regionTimeoutMs, signer } = c.get("settings");
  const { merchant, scope } = c.get("owner");
  const requestId = c.get("requestId");
  const ip = c.req.header("cf-connecting-ip") ?? null;
  const identity = { merchant, scope, requestId, ip, country: countryOf(c.req.raw) };
  const headers = new Headers(pick(FROM_CLIENT, c.req.raw.headers));
  headers.set("content-type", "application/json");
  headers.set(IDENTITY_HEADER, await signIdentity(identity, signer, new Date()));
  headers.set(REQUEST_ID_HEADER, requestId);

  const signal = AbortSignal.timeout(regionTimeoutMs);
  try {
    const answer = await fetch(`${regionUrl}/graphql`, {
      method: "POST",
      headers,
      body: c.get("body"),
      redirect: "manual",
      signal,
    });
    // Read to its end before answering: a region that breaks off becomes an error that says what to do.
    const body = await answer.arrayBuffer();
    if (!isGraphQL(answer)) {
      const details = { requestId, status: String(answer.status) };
      logFault("edge.region_answer_refused", new Error("not GraphQL"), details);
      return refusal(c, "UNAVAILABLE");
    }
    return new Response(body, { status: answer.status, headers: pick(FROM_REGION, answer.headers) });
  } catch (error) {
    logFault("edge.region_unreachable", error, { requestId });
    return refusal(c, "UNAVAILABLE", signal.aborted ? 504 : 503);
  }
}

/**
 * Whether the region answered as a GraphQL server. A 401 is not: it means that the region does not accept this
 * edge's signature, and a client would look for the fault in its own key.
 */
function isGraphQL(answer: Response): boolean {
  const type = answer.headers.get("content-type") ?? "";
  const json = /^application\/(graphql-response\+)?json\b/i.test(type);
  return json && answer.status !== 401 && (answer.status < 300 || answer.status >= 400);
}

function pick(names: readonly string[], from: Headers): [string, string][] {
  return names.flatMap((name) => {
    const value = from.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
}

/** ISO 3166-1 alpha-2 as Cloudflare located the caller; null if it could not, or for Tor ("T1"). */
function countryOf(request: Request): string | null {
  const { cf } = request as Request & { cf?: { country?: unknown } };
  const country = cf?.country;
  return typeof country === "string" && /^[A-Z]{2}$/.test(country) && country !== "XX" ? country : null;
}
