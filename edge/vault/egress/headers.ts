/** The headers that pass the proxy: what a provider's API needs, and nothing that says more about us. */
const TO_PROVIDER = [
  "authorization",
  "content-type",
  "idempotency-key",
  "user-agent",
  "stripe-version",
  // Adyen's key.
  "x-api-key",
];
const FROM_PROVIDER = [
  "content-type",
  "request-id",
  "retry-after",
  "idempotent-replayed",
  "stripe-should-retry",
  // Adyen repeats a key that it took, names its own reference, and says whether an error may pass.
  "idempotency-key",
  "pspreference",
  "transient-error",
];

/** The region's signed word travels in VAULT_AUTH_HEADER (kernel); these say what to send where. */
export const EGRESS_URL_HEADER = "tessera-egress-url";
export const EGRESS_TOKEN_HEADER = "tessera-egress-token";
export const EGRESS_REFERENCE_HEADER = "tessera-egress-reference";

/**
 * On every answer: `forwarded` (the provider's answer), `refused` (nothing was sent, so nothing happened) or
 * `failed` (sent, or perhaps sent: the provider may have acted). Without this header the outcome is unknown.
 */
export const EGRESS_OUTCOME_HEADER = "tessera-egress";

function pick(names: readonly string[], from: Headers): [string, string][] {
  return names.flatMap((name) => {
    const value = from.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
}

export function headersToProvider(request: Headers): [string, string][] {
  return pick(TO_PROVIDER, request);
}

export function headersFromProvider(response: Headers): [string, string][] {
  return pick(FROM_PROVIDER, response);
}
