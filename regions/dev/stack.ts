import { rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureExplorer } from "../../edge/explorer/build.ts";
import { type EdgeProcess, type PrepareEdgeOptions, prepareEdge } from "../../edge/prepare-edge.ts";
import { SUBGRAPHS } from "../../schema/compose.ts";
import type { CreatedMerchant } from "../../subgraphs/merchants/create.ts";
import { type PlatformSecrets, platformSecrets, writeWhole } from "./dev-secrets.ts";
import { explorerLink } from "./explorer-link.ts";
import { projectRoot } from "./home.ts";
import { migrate } from "./migrate.ts";
import { type DevProvider, type OutsidePart, outsideWorld } from "./outside-world.ts";
import { type Ports, requireFreePorts } from "./ports.ts";
import type { Settings } from "./postgres/settings.ts";
import { startPostgres } from "./postgres.ts";
import { type Launcher, openLauncher } from "./processes.ts";
import { seedDemo } from "./seed.ts";
import type { Service } from "./service.ts";

/**
 * The whole platform on this machine, each part a process of its own: Postgres, the provider's sandbox, the
 * region, both workers in workerd, and a demo shop. Used by `npm start`, the end-to-end tests and the bench.
 */
export type StackOptions = {
  /** The platform's folder: data, secrets, logs. */
  readonly home: string;
  readonly ports: Ports;
  /** An existing Postgres; without one the embedded Postgres is started. */
  readonly databaseUrl?: string | undefined;
  readonly postgresSettings?: Settings;
  /** Which providers there are, each with a sandbox of its own; only Stripe if not given. */
  readonly providers?: readonly DevProvider[];
  /** Payers are authenticated by 3-D Secure, over a sandbox of the schemes' directories. */
  readonly threeDs?: boolean;
  /** Where subgraphs run: in the gateway's process, or each in its own. */
  readonly subgraphs?: "in_process" | "http";
  /** Added to the region's environment. */
  readonly regionEnv?: Readonly<Record<string, string>>;
  /** Keep every request that the sandbox receives, for tests that scan them. */
  readonly sandboxRequestLog?: boolean;
  readonly log: (line: string) => void;
};

export type StackUrls = {
  readonly edge: string;
  readonly vault: string;
  readonly gateway: string;
  readonly checkout: string;
  /** With the demo key and a test card's token in its fragment. */
  readonly explorer: string;
  readonly sandbox: string;
  readonly database: string;
};

export type Stack = {
  readonly urls: StackUrls;
  readonly merchant: CreatedMerchant;
  readonly secrets: PlatformSecrets;
  readonly logs: string;
  /** The gateway's process, or that of all subgraphs in one; replaced by `restartRegion`. */
  readonly region: Service;
  readonly services: ReadonlyMap<string, Service>;
  /** Starts the region again, stopping it first if it runs; `env` is added to its environment. */
  restartRegion(env?: Readonly<Record<string, string>>): Promise<Service>;
  /** Resolves with the name of the first part that ends without having been asked to. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
};

const localhost = (port: number) => `http://127.0.0.1:${port}`;
const PROVIDER_DEADLINE_MS = 10_000;

export async function startStack(options: StackOptions): Promise<Stack> {
  const launcher = await openLauncher({ dir: options.home, log: options.log });
  try {
    return await assemble(options, launcher);
  } catch (error) {
    await launcher.stopAll();
    throw error;
  }
}

/** Which ports this stack needs. */
function neededPorts(options: StackOptions): Record<string, number> {
  const { ports, databaseUrl, subgraphs } = options;
  const { edge, vault, gateway, shop, postgres } = ports;
  const outside = outsideWorld(options).map(({ port }) => port);
  return {
    edge,
    vault,
    gateway,
    shop,
    ...Object.fromEntries(outside.map((name) => [name, ports[name]])),
    ...(databaseUrl === undefined ? { postgres } : {}),
    ...(subgraphs === "http" ? Object.fromEntries(SUBGRAPHS.map((name) => [name, ports[name]])) : {}),
  };
}

async function assemble(options: StackOptions, launcher: Launcher): Promise<Stack> {
  const { home, ports, log } = options;
  const logs = join(home, "logs");
  await mkdir(logs, { recursive: true });
  await requireFreePorts(neededPorts(options));
  const secrets = platformSecrets(home);
  const services = new Map<string, Service>();
  let onBroken: (name: string) => void = () => {};
  const broken = new Promise<string>((resolve) => {
    onBroken = resolve;
  });
  const spawn = async (spec: Omit<Parameters<Launcher["spawnService"]>[0], "logFile">): Promise<Service> => {
    const service = await launcher.spawnService({ ...spec, logFile: join(logs, `${spec.name}.log`) });
    services.set(spec.name, service);
    void service.exited.then((exit) => {
      if (!exit.asked && !launcher.stopping && services.get(spec.name) === service) onBroken(spec.name);
    });
    return service;
  };

  // The edge's build and the sandbox need no database: they start while it does.
  const [database, edge] = await Promise.all([
    openDatabase(options, launcher, onBroken),
    buildAndPrepareEdge(log, {
      ports: { api: ports.edge, vault: ports.vault },
      dir: join(home, "edge"),
      regionUrl: localhost(ports.gateway),
      secrets,
      standIns: Object.fromEntries(
        outsideWorld(options).flatMap(({ standsFor, port }) =>
          standsFor === null ? [] : [[standsFor, localhost(ports[port])] as const],
        ),
      ),
      vars: { vault: { EGRESS_TIMEOUT_MS: String(PROVIDER_DEADLINE_MS) } },
    }),
    ...outsideWorld(options).map((part) => spawn(sandboxSpec(options, secrets, part))),
  ]);
  const merchant = await seedDemo(database, home);

  const parts = { options, secrets, database, spawn };
  const subgraphUrls = options.subgraphs === "http" ? await startSubgraphs(parts) : null;
  const startRegion = (env: Readonly<Record<string, string>> = {}) =>
    spawn({
      name: "region",
      command: process.execPath,
      args: ["regions/main.ts"],
      cwd: projectRoot,
      env: { ...regionEnv(parts, ports.gateway), ...subgraphUrls, ...env },
      ready: /^ready on /m,
      stopTimeoutMs: 20_000,
    });
  await Promise.all([
    startRegion(),
    spawn({
      name: "workerd",
      ...edge,
      ready: async () => (await isUp(localhost(ports.edge))) && (await isUp(localhost(ports.vault))),
    }),
    spawn(shopSpec(ports, merchant)),
  ]);
  const unlinked = urlsOf(ports, database);
  log("every part runs; sending a request all the way through");
  await throughEverything(unlinked, merchant);
  const urls = { ...unlinked, explorer: await explorerLink(unlinked, merchant) };
  const devFile = join(home, "dev.json");
  const { publishableKey, secretKey } = merchant;
  writeWhole(devFile, { ...urls, publishableKey, secretKey });

  return {
    urls,
    merchant,
    secrets,
    logs,
    services,
    broken,
    get region() {
      return services.get("region") as Service;
    },
    async restartRegion(env) {
      const old = services.get("region");
      services.delete("region");
      await old?.stop();
      return startRegion(env);
    },
    async stop() {
      rmSync(devFile, { force: true });
      await launcher.stopAll();
    },
  };
}

/** The explorer is a tool: without it, whose address then says so, everything else works. */
async function buildAndPrepareEdge(
  log: (line: string) => void,
  options: PrepareEdgeOptions,
): Promise<EdgeProcess> {
  try {
    await ensureExplorer(log);
  } catch (error) {
    log(`the schema explorer could not be built, and will be missing or old: ${(error as Error).message}`);
  }
  return prepareEdge(options);
}

async function openDatabase(
  { databaseUrl, postgresSettings, home, ports, log }: StackOptions,
  launcher: Launcher,
  onBroken: (name: string) => void,
): Promise<string> {
  let url = databaseUrl;
  if (url === undefined) {
    const server = await startPostgres({
      dataDir: join(home, "postgres"),
      port: ports.postgres,
      log,
      launcher,
      ...(postgresSettings === undefined ? {} : { settings: postgresSettings }),
    });
    void server.exited.then((exit) => {
      if (!exit.asked && !launcher.stopping) onBroken("postgres");
    });
    url = server.url;
  }
  const applied = await migrate(url);
  if (applied.length > 0) log(`database: applied ${applied.length} migrations`);
  return url;
}

type Parts = {
  readonly options: StackOptions;
  readonly secrets: PlatformSecrets;
  readonly database: string;
  readonly spawn: (spec: Omit<Parameters<Launcher["spawnService"]>[0], "logFile">) => Promise<Service>;
};

function regionEnv({ options, secrets, database }: Parts, port: number): Record<string, string> {
  const { ports } = options;
  return {
    PORT: String(port),
    DATABASE_URL: database,
    ...secrets.region,
    ...secrets.audit,
    AUDIT_STORE: join(options.home, "audit"),
    VAULT_URL: localhost(ports.vault),
    ...Object.assign(
      {},
      ...outsideWorld(options).map(({ env, port }) => env(localhost(ports[port]), secrets)),
    ),
    WEBHOOK_BASE_URL: `${localhost(ports.edge)}/webhooks`,
    ...(options.threeDs === true
      ? {
          THREE_DS_RESULTS_URL: `${localhost(ports.edge)}/webhooks/three-ds`,
          THREE_DS_NOTIFICATION_URL: `${localhost(ports.edge)}/3ds/return`,
        }
      : {}),
    REFERENCE_SECRET: secrets.referenceSecret,
    CHECKOUT_SECRET: secrets.checkoutSecret,
    PROVIDER_DEADLINE_MS: String(PROVIDER_DEADLINE_MS),
    SHOW_TIMING: "1",
    ...options.regionEnv,
  };
}

async function startSubgraphs(parts: Parts): Promise<Record<string, string>> {
  const { ports } = parts.options;
  await Promise.all(
    SUBGRAPHS.map((name) =>
      parts.spawn({
        name: `subgraph-${name}`,
        command: process.execPath,
        args: ["regions/main.ts", "--subgraph", name],
        cwd: projectRoot,
        env: regionEnv(parts, ports[name]),
        ready: /^ready on /m,
        stopTimeoutMs: 20_000,
      }),
    ),
  );
  const urls = Object.fromEntries(SUBGRAPHS.map((name) => [name, `${localhost(ports[name])}/graphql`]));
  return { SUBGRAPH_URLS: JSON.stringify(urls) };
}

const sandboxSpec = (
  { home, ports, sandboxRequestLog }: StackOptions,
  secrets: PlatformSecrets,
  { port, folder, apiKey, webhooks }: OutsidePart,
) => ({
  name: port,
  command: process.execPath,
  args: [`test/sandbox/${folder}/main.ts`],
  cwd: projectRoot,
  env: {
    SANDBOX_PORT: String(ports[port]),
    SANDBOX_API_KEY: apiKey(secrets),
    SANDBOX_DATA_DIR: join(home, port),
    ...(webhooks === null ? {} : { SANDBOX_WEBHOOK_URL: `${localhost(ports.edge)}/webhooks/${webhooks}` }),
    ...(sandboxRequestLog === true ? { SANDBOX_REQUEST_LOG: join(home, `${port}-requests.jsonl`) } : {}),
  },
  ready: /^ready on /m,
});

const shopSpec = (ports: Ports, merchant: CreatedMerchant) => ({
  name: "shop",
  command: process.execPath,
  args: ["test/sandbox/shop/shop.ts"],
  cwd: projectRoot,
  env: {
    SHOP_PORT: String(ports.shop),
    SHOP_EDGE_URL: localhost(ports.edge),
    SHOP_SECRET_KEY: merchant.secretKey,
    SHOP_PUBLISHABLE_KEY: merchant.publishableKey,
  },
  ready: /^ready on /m,
});

const urlsOf = (ports: Ports, database: string): Omit<StackUrls, "explorer"> => ({
  edge: localhost(ports.edge),
  vault: localhost(ports.vault),
  gateway: localhost(ports.gateway),
  checkout: localhost(ports.shop),
  sandbox: localhost(ports.sandbox),
  database,
});

async function isUp(url: string): Promise<boolean> {
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) });
  return response.ok;
}

/** Ready means this: a query through the edge, the gateway and a subgraph to the database and back. */
async function throughEverything(urls: Pick<StackUrls, "edge">, merchant: CreatedMerchant): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await fetch(`${urls.edge}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${merchant.secretKey}` },
      body: JSON.stringify({ query: "{ viewer { id } payments(first: 1) { nodes { id } } }" }),
    });
    const body = (await answer.json()) as { data?: { viewer?: { id?: string } } };
    if (body.data?.viewer?.id === merchant.id) return;
    if (Date.now() > deadline) throw new Error(`the platform does not answer: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
