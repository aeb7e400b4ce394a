import type { Logger } from "pino";
import type { Sql } from "postgres";
import type { TenantReader } from "../../database/tenant-reader.ts";
import { DEFAULT_COSTS } from "../domain/routing/cost-tables.ts";
import { type CapabilityMatrix, capabilityMatrix } from "./capability-matrix.ts";
import { createRouter, type RouterOptions } from "./create-router.ts";
import { createHistory } from "./history.ts";
import type { Providers, Router } from "./router.ts";
import { createRulesCache, type RulesAtHand } from "./rules-cache.ts";
import { createRulesStore, type RulesStore } from "./rules-store.ts";
import { createSimulation, type Simulate } from "./simulate.ts";

/** Routing with all that belongs to it, over one database. */
export type Routing = {
  readonly router: Router;
  readonly rules: RulesAtHand;
  readonly store: RulesStore;
  readonly capabilities: CapabilityMatrix;
  readonly simulate: Simulate;
  /** Names that rules can use. */
  readonly providers: readonly string[];
};

/**
 * @param reader as tessera_payments, under row security
 * @param writer as tessera_routing; whoever opened it closes it
 */
export function openRouting(
  providers: Providers,
  world: { readonly reader: TenantReader; readonly writer: Sql; readonly log: Logger },
  options: Partial<Omit<RouterOptions, "rules">> = {},
): Routing {
  const { reader, writer, log } = world;
  const names = providers.all.map(({ name }) => name);
  const store = createRulesStore(reader, writer, names);
  const rules = createRulesCache({
    load: store.load,
    now: options.now ?? (() => performance.now()),
    onStale: (merchant, error) =>
      log.warn({ merchant, err: error }, "routing rules are not read anew: the old ones count"),
  });
  return {
    router: createRouter(providers, { ...options, rules }),
    rules,
    store,
    capabilities: capabilityMatrix(providers),
    simulate: createSimulation(createHistory(reader), options.costs ?? DEFAULT_COSTS),
    providers: names,
  };
}
