import { declineOf } from "../domain/decline.ts";
import type { ProviderAnswer } from "../domain/operation.ts";
import type { ProviderResponse } from "./connector.ts";

/** Codes of requests that could not leave since the provider is out of reach or has no room: it may be tried later. */
const OUT_OF_REACH: ReadonlySet<string> = new Set([
  "BREAKER_OPEN",
  "BULKHEAD_FULL",
  "PROVIDER_BUSY",
  "UNREACHABLE",
]);

/**
 * What a request that was certainly not sent means, the same for every provider: a definite failure of a first request. Of a
 * replay it says nothing about the request before it.
 */
export function notSentAnswer(
  { code, because }: Extract<ProviderResponse, { kind: "not_sent" }>,
  first: boolean,
): ProviderAnswer {
  if (!first) return { kind: "unknown", because };
  const reason = OUT_OF_REACH.has(code) ? "provider_unavailable" : "provider_refused";
  return { kind: "failed", decline: declineOf(reason, code) };
}
