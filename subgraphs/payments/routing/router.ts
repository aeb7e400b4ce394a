import type { MerchantId } from "../../kernel/ids.ts";
import type { Connector, ProviderResponse, Send } from "../connectors/connector.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";
import type { RoutingReason } from "../domain/routing/reason.ts";

export type { RoutingFacts } from "../domain/routing/facts.ts";

export type Choice = { readonly provider: string; readonly reason: RoutingReason };

/** Nobody can take it: why, for each, in the reason's candidates. */
export type NoChoice = { readonly provider: null; readonly reason: RoutingReason };

/** How a request to a provider ended, for its health and its scores. */
export type Observation = {
  /** `declined` is the issuer's word: the provider is well. `failed` is the provider's. */
  readonly outcome: "succeeded" | "declined" | "failed" | "unknown";
  readonly latencyMs: number;
};

/**
 * Chooses who is asked. In process, from what it has seen itself: it never waits, and a process that has just started
 * knows nothing and still chooses.
 */
export interface Router {
  /**
   * Sees to it that the merchant's rules are at hand and not older than some seconds; to be awaited before `choose`, beside
   * other reads. Rejects if they cannot be read and never were: `never` is not forgotten because a read failed.
   */
  ready(merchant: MerchantId): Promise<void>;
  /** @param tried providers that have failed this payment definitely: they are not asked again */
  choose(facts: RoutingFacts, tried: readonly string[]): Choice | NoChoice;
  /**
   * `send` under the provider's bulkhead and breaker: what they refuse is answered `not_sent`, at once. Only for new
   * authorizations: a capture, a refund or an inquiry must go to the provider that it belongs to.
   */
  guarded(provider: string, send: Send): Send;
  /** Only of what `tellsOfProvider`. */
  observe(provider: string, facts: RoutingFacts, seen: Observation): void;
}

/**
 * Whether what came back says something about the provider. What our side refused (the breaker, the vault, a full queue)
 * does not: counted, it would keep a provider's breaker open for ever.
 */
export const tellsOfProvider = (response: ProviderResponse): boolean =>
  response.kind !== "not_sent" || response.code === "UNREACHABLE";

/** The providers of this region, by name. */
export type Providers = {
  readonly all: readonly Connector[];
  /** Throws for a name that is not configured: a payment's provider must stay so until its last refund. */
  get(name: string): Connector;
};

export function createProviders(all: readonly Connector[]): Providers {
  const byName = new Map(all.map((connector) => [connector.name, connector]));
  return {
    all,
    get(name) {
      const connector = byName.get(name);
      if (connector === undefined) throw new Error(`the provider ${name} is not configured`);
      return connector;
    },
  };
}
