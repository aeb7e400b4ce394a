import pino, { type Logger } from "pino";
import { SUBGRAPHS, type SubgraphName } from "../schema/compose.ts";
import { openSharedTier } from "../subgraphs/cache/shared-tier.ts";
import { systemClock } from "../subgraphs/kernel/clock.ts";
import { verifyingKeys } from "../subgraphs/kernel/identity.ts";
import { homeFor } from "../subgraphs/kernel/ids.ts";
import { createMerchants } from "../subgraphs/merchants/profile.ts";
import { doorElsewhere } from "../subgraphs/payments/inbound/door.ts";
import { type RegionConfig, readConfig } from "./config.ts";
import { createGateway } from "./gateway.ts";
import { gatewayHandler, listen, subgraphHandler } from "./http.ts";
import { createModule, type Module } from "./modules.ts";

/**
 * A region process.
 *
 *   node regions/main.ts                       the gateway with all subgraphs in this process, or, if
 *                                              SUBGRAPH_URLS is set, the gateway alone
 *   node regions/main.ts --subgraph payments   one subgraph, for a gateway elsewhere
 *
 * Prints `ready on http://…` when it serves. SIGTERM and SIGINT end it after what is under way.
 */
export type RunningRegion = { readonly url: string; stop(): Promise<void> };

const DRAIN_MS = 15_000;

export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Nothing that is a secret is logged on purpose; this is for what slips into an error.
    redact: {
      paths: [
        "*.authorization",
        "*.headers",
        "*.secretKey",
        "*.password",
        "err.query",
        "err.parameters",
        "err.args",
      ],
      remove: true,
    },
  });
}

/** What may be a little old, shared with the region's other processes. */
const sharedTier = ({ redis, referenceSecret: secret }: RegionConfig) =>
  redis === null ? null : openSharedTier({ ...redis, secret });

export async function runGateway(config: RegionConfig, log: Logger): Promise<RunningRegion> {
  const shared = sharedTier(config);
  const merchants = createMerchants({ url: config.databaseUrl, shared, log });
  const modules: Module[] = [];
  if (config.subgraphUrls === null) {
    for (const name of SUBGRAPHS) modules.push(await createModule[name](config, { merchants, shared }, log));
  }
  const apollo = await createGateway(
    config.subgraphUrls === null
      ? { kind: "in_process", subgraphs: new Map(modules.map(({ subgraph }) => [subgraph.name, subgraph])) }
      : { kind: "http", urls: config.subgraphUrls },
    log,
  );
  const regionNumber = config.region.number;
  const inbound =
    config.subgraphUrls === null
      ? modules.find((module) => module.inbound !== undefined)?.inbound
      : doorElsewhere(new URL(config.subgraphUrls.payments).origin);
  const handler = gatewayHandler(
    {
      apollo,
      merchants,
      regionNumber,
      keys: await verifyingKeys(config.edgeKeys),
      clock: systemClock,
      inbound,
      // Where payments are another process, that one turns away, and this one must not take its waiting for its own.
      admission: modules.find(({ admission }) => admission !== undefined)?.admission,
      figures: () => Object.assign({}, ...modules.map(({ figures }) => figures?.() ?? {})),
      showTiming: config.showTiming,
      // The look-up of a key that cannot exist goes all the way to the database and back.
      ready: async () => void (await merchants.findApiKey(homeFor(regionNumber, 0), "0".repeat(64))),
    },
    log,
  );
  const server = await listen(handler, config);
  for (const { start } of modules) start();
  return {
    url: `http://${config.host}:${server.port}`,
    async stop() {
      await server.close(DRAIN_MS);
      await apollo.stop();
      await Promise.all(modules.map(({ stop }) => stop()));
      await merchants.close();
      await shared?.close();
    },
  };
}

export async function runSubgraph(
  name: SubgraphName,
  config: RegionConfig,
  log: Logger,
): Promise<RunningRegion> {
  const shared = sharedTier(config);
  const merchants = createMerchants({ url: config.databaseUrl, shared, log });
  const module = await createModule[name](config, { merchants, shared }, log);
  const keys = await verifyingKeys(config.edgeKeys);
  const verifier = { keys, clock: systemClock, inbound: module.inbound };
  const server = await listen(subgraphHandler(module.subgraph, verifier, log), config);
  module.start();
  return {
    url: `http://${config.host}:${server.port}`,
    async stop() {
      await server.close(DRAIN_MS);
      await module.stop();
      await merchants.close();
      await shared?.close();
    },
  };
}

function subgraphArgument(args: readonly string[]): SubgraphName | null {
  const at = args.indexOf("--subgraph");
  if (at < 0) return null;
  const name = args[at + 1] ?? "";
  const found = SUBGRAPHS.find((subgraph) => subgraph === name);
  if (found === undefined) throw new Error(`--subgraph is one of ${SUBGRAPHS.join(", ")}`);
  return found;
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const subgraph = subgraphArgument(process.argv.slice(2));
  const running =
    subgraph === null ? await runGateway(config, log) : await runSubgraph(subgraph, config, log);
  console.log(`ready on ${running.url}`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await running.stop();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
}
