import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ProviderResponse } from "../connectors/connector.ts";
import { BREAKER_LIMITS } from "./breaker.ts";
import { createRouter, ROUTER_DEFAULTS, type RouterOptions } from "./create-router.ts";
import { createProviders, type Observation, tellsOfProvider } from "./router.ts";
import { sampleAnswer, sampleFacts, sampleProvider, sampleRequest } from "./samples.ts";

/**
 * Payments through a router and providers that are there in simulated time only, asked as the flows ask: the next
 * provider after a definite failure, at most three, and none after an outcome that is not known.
 */
type Behaviour = { readonly outcome: Observation["outcome"]; readonly afterMs: number };
type Provider = (now: number) => Behaviour;

const TIMEOUT_MS = 10_000;
const BETWEEN_MS = 5;
const well: Provider = () => ({ outcome: "succeeded", afterMs: 300 });
const failing: Provider = () => ({ outcome: "failed", afterMs: 100 });
const silent: Provider = () => ({ outcome: "unknown", afterMs: TIMEOUT_MS });
const brands = ["visa", "mastercard"];

/** Numbers that look random and are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Ended = { readonly outcome: Observation["outcome"] | "nobody"; readonly charges: number };

class World {
  readonly #providers: Readonly<Record<string, Provider>>;
  readonly #router;
  readonly #due: { readonly at: number; readonly go: () => void }[] = [];
  now = 0;
  /** Requests that reached each provider, and how many of them are under way. */
  readonly sent: Record<string, number> = {};
  readonly inFlight: Record<string, number> = {};
  readonly ended: Ended[] = [];

  constructor(
    providers: Readonly<Record<string, Provider>>,
    seed: number,
    options: Partial<RouterOptions> = {},
  ) {
    this.#providers = providers;
    const connectors = Object.keys(providers).map((name) => sampleProvider(name, { brands }));
    this.#router = createRouter(createProviders(connectors), {
      now: () => this.now,
      random: randomFrom(seed),
      ...options,
    });
  }

  async run(payments: number): Promise<void> {
    for (let i = 0; i < payments; i++) {
      this.#at(i * BETWEEN_MS, () => void this.#pay(i));
    }
    while (this.#due.length > 0) {
      const { at } = this.#due[0] as { at: number };
      this.now = at;
      while (this.#due[0]?.at === at) this.#due.shift()?.go();
      await nextTurn();
    }
    expect(this.ended).toHaveLength(payments);
  }

  count = (outcome: Ended["outcome"]) => this.ended.filter((ended) => ended.outcome === outcome).length;

  #at(at: number, go: () => void): void {
    let place = this.#due.length;
    while (place > 0 && (this.#due[place - 1] as { at: number }).at > at) place--;
    this.#due.splice(place, 0, { at, go });
  }

  async #pay(nth: number): Promise<void> {
    const facts = sampleFacts({
      merchant: `m${nth % 50}`,
      brand: brands[nth % 2] as string,
      minor: nth % 3 === 0 ? 50_000n : 2_000n,
    });
    const tried: string[] = [];
    let charges = 0;
    for (;;) {
      const { provider } = this.#router.choose(facts, tried);
      if (provider === null || tried.length === 3) {
        this.ended.push({ outcome: tried.length === 0 ? "nobody" : "failed", charges });
        return;
      }
      tried.push(provider);
      const begun = this.now;
      let outcome = "failed" as Observation["outcome"];
      const send = () => {
        const behaviour = this.#providers[provider]?.(begun) as Behaviour;
        outcome = behaviour.outcome;
        return this.#answerAfter(provider, behaviour.afterMs);
      };
      const response = await this.#router.guarded(provider, send)(sampleRequest, `ref ${nth}`);
      if (outcome === "succeeded") charges++;
      if (tellsOfProvider(response))
        this.#router.observe(provider, facts, { outcome, latencyMs: this.now - begun });
      if (outcome === "failed") continue;
      this.ended.push({ outcome, charges });
      return;
    }
  }

  #answerAfter(provider: string, ms: number): Promise<ProviderResponse> {
    this.sent[provider] = (this.sent[provider] ?? 0) + 1;
    this.inFlight[provider] = (this.inFlight[provider] ?? 0) + 1;
    return new Promise((resolve) => {
      this.#at(this.now + ms, () => {
        this.inFlight[provider] = (this.inFlight[provider] ?? 0) - 1;
        resolve(sampleAnswer);
      });
    });
  }
}

const PAYMENTS = 20_000;

describe("of 20,000 payments", () => {
  it("all succeed through another, none twice, while one provider fails every payment", async () => {
    for (const broken of ["stripe", "mollie"]) {
      const world = new World({ stripe: well, adyen: well, mollie: well, [broken]: failing }, 1);
      await world.run(broken === "stripe" ? PAYMENTS : PAYMENTS / 10);
      expect(world.count("succeeded")).toBe(world.ended.length);
      expect(world.ended.every(({ charges }) => charges === 1)).toBe(true);
      // It is asked until its breaker opens, and then by probes alone.
      expect(world.sent[broken]).toBeLessThan(100);
    }
  });

  it("as good as all succeed, none twice, while one fails every payment and the others now and then", async () => {
    const random = randomFrom(2);
    const shaky: Provider = () =>
      random() < 0.01 ? { outcome: "failed", afterMs: 100 } : { outcome: "succeeded", afterMs: 300 };
    const world = new World({ stripe: failing, adyen: shaky, mollie: shaky }, 3);
    await world.run(PAYMENTS);
    expect(world.count("succeeded")).toBeGreaterThanOrEqual(0.999 * PAYMENTS);
    expect(world.ended.every(({ charges }) => charges <= 1)).toBe(true);
  });

  it("as many are unknown as open the breaker and were under way then, while one provider never answers", async () => {
    const patient = { ...BREAKER_LIMITS, openMs: 1e9, longestMs: 1e9 };
    const maxInFlight = 64;
    const world = new World({ stripe: silent, adyen: well, mollie: well }, 4, {
      gate: { breaker: patient, maxInFlight, deadlineMs: null },
    });
    await world.run(PAYMENTS);
    const unknown = world.count("unknown");
    expect(unknown).toBeGreaterThanOrEqual(patient.inARow);
    expect(unknown).toBeLessThanOrEqual(patient.inARow + maxInFlight);
    expect(unknown).toBe(world.sent["stripe"]);
    expect(world.count("succeeded")).toBe(PAYMENTS - unknown);
  });

  it("one more with each probe, ever more seldom, while it still does not answer", async () => {
    const world = new World({ stripe: silent, adyen: well, mollie: well }, 5, {
      gate: { ...ROUTER_DEFAULTS.gate, maxInFlight: 64 },
    });
    await world.run(PAYMENTS);
    // 100 s: probes after about 25 and 65 s, each of which is not answered for 10 s.
    expect(world.count("unknown")).toBeLessThanOrEqual(BREAKER_LIMITS.inARow + 64 + 3);
    expect(world.count("unknown") + world.count("succeeded")).toBe(PAYMENTS);
  });

  it("many go to a provider again that was away for a while", async () => {
    const away: Provider = (now) =>
      now < 10_000 ? { outcome: "failed", afterMs: 50 } : { outcome: "succeeded", afterMs: 20 };
    const world = new World({ stripe: away, adyen: well }, 6);
    await world.run(PAYMENTS);
    expect(world.count("succeeded")).toBe(PAYMENTS);
    // It is by far the fastest, which is found out from the few payments that are used to learn.
    expect(world.sent["stripe"]).toBeGreaterThan(PAYMENTS / 10);
  });

  it("none is lost where everybody is away: who asks is told at once, and may ask again", async () => {
    const world = new World({ stripe: failing, adyen: failing }, 7);
    await world.run(PAYMENTS / 10);
    expect(world.count("nobody")).toBeGreaterThan(PAYMENTS / 10 - 100);
    expect(world.count("nobody") + world.count("failed")).toBe(PAYMENTS / 10);
  });
});
