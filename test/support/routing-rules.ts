import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { readRoutingRules } from "../../subgraphs/payments/domain/routing/rules.ts";
import type { RulesAtHand } from "../../subgraphs/payments/routing/rules-cache.ts";

/** Rules that need no database: each merchant prefers the provider that `preferred` names, or has no rules. */
export function preferring(
  providers: readonly string[],
  preferred: (merchant: MerchantId) => string | null,
): RulesAtHand {
  const rules = new Map(
    providers.map((name) => {
      const read = readRoutingRules(`prefer ${name}`, providers);
      if (!read.ok) throw new Error(`the rules cannot be read: ${JSON.stringify(read.error)}`);
      return [name, { version: 1, rules: read.value }];
    }),
  );
  return {
    ready: async () => {},
    of: (merchant) => rules.get(preferred(merchant as MerchantId) ?? "") ?? null,
    changed: () => {},
  };
}
