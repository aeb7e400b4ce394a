import type { ProviderResponse, Send } from "../connectors/connector.ts";
import { Breaker, type BreakerLimits, type Health } from "./breaker.ts";

export type GateLimits = {
  readonly breaker: BreakerLimits;
  /** New authorizations under way at one provider at most; none waits for room. */
  readonly maxInFlight: number;
  /**
   * How long a request may take before its outcome is called unknown, in ms. The transport has its own, shorter one: this
   * is for a transport that fails to keep it, so that no place is lost for ever. Null: there is none.
   */
  readonly deadlineMs: number | null;
};

/** One provider's way out for new authorizations: its breaker, and a bulkhead without a queue. */
export class Gate {
  readonly breaker: Breaker;
  readonly #limits: GateLimits;
  readonly #now: () => number;
  #inFlight = 0;

  constructor(limits: GateLimits, now: () => number) {
    this.breaker = new Breaker(limits.breaker);
    this.#limits = limits;
    this.#now = now;
  }

  health(): Health | "full" {
    const health = this.breaker.health(this.#now());
    return health !== "open" && this.#inFlight >= this.#limits.maxInFlight ? "full" : health;
  }

  guard(send: Send): Send {
    return async (request, reference) => {
      const health = this.health();
      if (health === "open" || health === "full") return REFUSALS[health];
      const probe = health === "probe";
      if (probe) this.breaker.beginProbe();
      this.#inFlight++;
      try {
        return await this.#within(send(request, reference));
      } finally {
        this.#inFlight--;
        if (probe) this.breaker.endProbe();
      }
    };
  }

  #within(answer: Promise<ProviderResponse>): Promise<ProviderResponse> {
    const { deadlineMs } = this.#limits;
    if (deadlineMs === null) return answer;
    const late = Promise.withResolvers<ProviderResponse>();
    const timer = setTimeout(() => late.resolve({ kind: "lost", because: "no answer in time" }), deadlineMs);
    return Promise.race([answer, late.promise]).finally(() => clearTimeout(timer));
  }
}

const REFUSALS: Record<"open" | "full", ProviderResponse> = {
  open: {
    kind: "not_sent",
    code: "BREAKER_OPEN",
    because: "the provider has failed too often lately and is left alone for a while",
  },
  full: {
    kind: "not_sent",
    code: "BULKHEAD_FULL",
    because: "as many requests to the provider are under way as may be",
  },
};
