import { setImmediate as nextTurn } from "node:timers/promises";
import { newId } from "../../../subgraphs/kernel/ids.ts";
import { readRoutingRules } from "../../../subgraphs/payments/domain/routing/rules.ts";
import { BREAKER_LIMITS } from "../../../subgraphs/payments/routing/breaker.ts";
import { createRouter } from "../../../subgraphs/payments/routing/create-router.ts";
import { createProviders, type Router } from "../../../subgraphs/payments/routing/router.ts";
import { createRulesCache } from "../../../subgraphs/payments/routing/rules-cache.ts";
import {
  sampleAnswer,
  sampleFacts,
  sampleProvider,
  sampleRequest,
} from "../../../subgraphs/payments/routing/samples.ts";
import type { RowGroup } from "../row.ts";

/**
 * What routing adds to a payment: the merchant's rules made ready, a choice among four providers with full windows, the request under
 * breaker, bulkhead and deadline, and the outcome observed. The provider answers at once.
 */
const AT_ONCE = 1_000;
const ROUTING = "routing.payment";
const PROVIDERS = ["stripe", "adyen", "mollie", "acquirer"];
const BRANDS = ["visa", "mastercard", "amex"];
const merchant = newId("mer", { region: 1, shard: 1 }, new Date());
const RULES = `"large, here": prefer acquirer if amount > 900.00 EUR and card.country in ["DE", "AT", "CH"]
"recurring": avoid mollie if stored.initiator == "merchant"
never adyen if card.brand == "amex" and currency != "EUR"
`;

export const routing: RowGroup = {
  names: [ROUTING],
  derived: [
    {
      name: `${ROUTING}.cpu`,
      unit: "CPU µs",
      from: [ROUTING],
      // A unit is a thousand payments, so its milliseconds are a payment's microseconds.
      derive: (thousand) => thousand?.cpuMs ?? 0,
    },
  ],
  async open(bench) {
    const router = busyRouter();
    return {
      rows: [
        {
          name: ROUTING,
          units: "thousand payments",
          clients: 1,
          async run() {
            for (let i = 0; i < AT_ONCE; i++) await routePayment(router, i);
            await nextTurn(); // nothing above waits, and timers need their turn
          },
          processes: [bench.meters.driver],
          ours: ["driver"],
          database: null,
        },
      ],
      async close() {},
    };
  },
};

export function busyRouter(): Router {
  const providers = createProviders(PROVIDERS.map((name) => sampleProvider(name, { brands: BRANDS })));
  const read = readRoutingRules(RULES, PROVIDERS);
  if (!read.ok) throw new Error("the bench's rules are right");
  const compiled = { version: 1, rules: read.value };
  const now = () => performance.now();
  const rules = createRulesCache({ load: async () => compiled, now, onStale: () => {} });
  const gate = { breaker: BREAKER_LIMITS, maxInFlight: 256, deadlineMs: 10_000 };
  const router = createRouter(providers, { rules, gate });
  for (let i = 0; i < 10_000; i++) {
    const facts = sampleFacts({ brand: BRANDS[i % BRANDS.length] as string });
    const seen = {
      outcome: i % 50 === 0 ? "declined" : "succeeded",
      latencyMs: 100 + ((i * 7_919) % 900),
    } as const;
    router.observe(PROVIDERS[i % PROVIDERS.length] as string, facts, seen);
  }
  return router;
}

const at = new Map(
  BRANDS.map((brand, i) => [i, sampleFacts({ merchant, brand, minor: BigInt(1_000 + i * 50_000) })]),
);

export async function routePayment(router: Router, nth: number): Promise<void> {
  const facts = at.get(nth % BRANDS.length) ?? sampleFacts();
  await router.ready(merchant);
  const { provider } = router.choose(facts, []);
  if (provider === null) throw new Error("nobody was chosen");
  await router.guarded(provider, async () => sampleAnswer)(sampleRequest, "ref");
  router.observe(provider, facts, { outcome: "succeeded", latencyMs: 100 + (nth % 700) });
}
