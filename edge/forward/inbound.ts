import { IDENTITY_HEADER, REQUEST_ID_HEADER } from "../../subgraphs/kernel/identity.ts";
import type { ApiContext } from "../app.ts";
import { logFault } from "../http/log.ts";
import { readLimited } from "../limits/body.ts";
import { signInbound } from "./inbound-word.ts";

const MAX_BODY_BYTES = 256 * 1024;
/** A few words for most providers; the directory server's answer is a message of some kilobytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What providers sign with, and what says how to read the bytes. Nothing else of a message's headers is believed. */
const FROM_PROVIDER = [
  "content-type",
  "user-agent",
  "authorization",
  "stripe-signature",
  "x-mollie-signature",
  "x-ds-signature",
  "hmacsignature",
  "tessera-signature",
];

/** On what a region's own door answered; a proxy's error page and a region that does not know this edge lack it. */
const ANSWERED_HEADER = "tessera-inbound";

/** Names an account at the provider, as we gave it with the address. */
const ENDPOINT = /^[\w-]{1,64}$/;

/**
 * `POST /webhooks/{provider}` and `/webhooks/{provider}/{endpoint}`: a provider's webhook, or a 3-D Secure result. No key of
 * ours comes with it: the provider's signature over the very bytes is checked in the region, so those are passed on as they
 * are. Sent once, never again: if the region does not answer, the provider hears 503 and delivers again in its own time.
 */
export async function forwardInbound(c: ApiContext): Promise<Response> {
  const { regionUrl, regionTimeoutMs, signer, inboundProviders } = c.get("settings");
  const { provider, endpoint } = c.req.param() as { provider?: string; endpoint?: string };
  if (provider === undefined || !inboundProviders.has(provider)) return say(404, "No such provider.");
  if (endpoint !== undefined && !ENDPOINT.test(endpoint)) return say(404, "No such endpoint.");
  const path = `/webhooks/${provider}${endpoint === undefined ? "" : `/${endpoint}`}`;

  const read = await readLimited(c.req.raw.body, MAX_BODY_BYTES);
  if (!read.ok) return say(413, `A message is at most ${MAX_BODY_BYTES} bytes.`);
  const body = read.value;
  const requestId = c.get("requestId");
  const headers = new Headers();
  for (const name of FROM_PROVIDER) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  headers.set(IDENTITY_HEADER, await signInbound({ path, body, requestId }, signer, new Date()));
  headers.set(REQUEST_ID_HEADER, requestId);

  const signal = AbortSignal.timeout(regionTimeoutMs);
  try {
    const answer = await fetch(regionUrl + path, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal,
    });
    const text = await readLimited(answer.body, MAX_ANSWER_BYTES);
    if (!text.ok || answer.headers.get(ANSWERED_HEADER) !== "answered") {
      const details = { requestId, status: String(answer.status) };
      logFault("edge.inbound_answer_refused", new Error("not the region's door"), details);
      return say(503, UNAVAILABLE);
    }
    return new Response(text.value, { status: answer.status, headers: { "content-type": typeOf(answer) } });
  } catch (error) {
    logFault("edge.inbound_undelivered", error, { requestId });
    return say(signal.aborted ? 504 : 503, UNAVAILABLE);
  }
}

const UNAVAILABLE = "Not taken. Deliver it again.";

/** Short text, which is what providers' consoles show. */
export function say(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": TEXT } });
}

const TEXT = "text/plain; charset=utf-8";

/** JSON or plain text: whatever a message may bring a region to answer, it is no page of ours. */
function typeOf(answer: Response): string {
  const json = /^application\/json\b/i.test(answer.headers.get("content-type") ?? "");
  return json ? "application/json; charset=utf-8" : TEXT;
}
