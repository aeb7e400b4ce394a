import type { Logger } from "pino";
import { type SubgraphName, subgraphSchema } from "../schema/compose.ts";
import { createSubgraph, type Subgraph } from "../subgraphs/api/subgraph.ts";
import type { SharedTier } from "../subgraphs/cache/shared-tier.ts";
import { connectAs } from "../subgraphs/database/pool.ts";
import { createTenantReader } from "../subgraphs/database/tenant-reader.ts";
import { systemClock } from "../subgraphs/kernel/clock.ts";
import { crashPoints } from "../subgraphs/kernel/crash-points.ts";
import { signingKey } from "../subgraphs/kernel/identity.ts";
import { folderStore } from "../subgraphs/ledger/audit/folder-store.ts";
import { createProofs } from "../subgraphs/ledger/audit/proof.ts";
import { createBatchReader, readPaymentRows } from "../subgraphs/ledger/audit/reads.ts";
import { openAuditedCommitter } from "../subgraphs/ledger/audited.ts";
import { createProjector } from "../subgraphs/ledger/projection/project.ts";
import { openReconciler } from "../subgraphs/ledger/reconcile/reconcile.ts";
import { ledgerResolvers } from "../subgraphs/ledger/resolvers/index.ts";
import { createLedgerReads } from "../subgraphs/ledger/sql/reads.ts";
import { createStatementReads } from "../subgraphs/ledger/sql/statements.ts";
import type { Merchants } from "../subgraphs/merchants/profile.ts";
import { merchantResolvers } from "../subgraphs/merchants/resolvers/index.ts";
import { DIRECTORY } from "../subgraphs/payments/connectors/three-ds/index.ts";
import { createProviderTransport } from "../subgraphs/payments/connectors/transport.ts";
import { type Admission, createAdmission } from "../subgraphs/payments/flow/admission.ts";
import { awayAtProviders } from "../subgraphs/payments/flow/away-at-providers.ts";
import type { PaymentDeps } from "../subgraphs/payments/flow/deps.ts";
import { watchDuplicates } from "../subgraphs/payments/flow/duplicates.ts";
import { createCvcForgetter } from "../subgraphs/payments/flow/forget-cvc.ts";
import { createInboundDoor } from "../subgraphs/payments/flow/inbound.ts";
import { createRecovery } from "../subgraphs/payments/flow/recover.ts";
import type { InboundDoor } from "../subgraphs/payments/inbound/door.ts";
import { createRelay } from "../subgraphs/payments/relay.ts";
import { paymentResolvers } from "../subgraphs/payments/resolvers/index.ts";
import { NEVER_OPENS } from "../subgraphs/payments/routing/breaker.ts";
import { ROUTER_DEFAULTS } from "../subgraphs/payments/routing/create-router.ts";
import { openRouting } from "../subgraphs/payments/routing/open-routing.ts";
import { createProviders } from "../subgraphs/payments/routing/router.ts";
import { createCachedReads } from "../subgraphs/payments/sql/cached-reads.ts";
import { createDuplicates } from "../subgraphs/payments/sql/duplicates.ts";
import { createPaymentReads } from "../subgraphs/payments/sql/reads.ts";
import { createRecoveryQueue } from "../subgraphs/payments/sql/recovery-queue.ts";
import { createVaultClient } from "../subgraphs/payments/vault/client.ts";
import { createAssess } from "../subgraphs/risk/assess.ts";
import { riskResolvers } from "../subgraphs/risk/resolvers/index.ts";
import { createRiskReads } from "../subgraphs/risk/sql/reads.ts";
import { consumeEvents } from "../subgraphs/settlement/consume.ts";
import { settlementResolvers } from "../subgraphs/settlement/resolvers/index.ts";
import { createSettlementReads } from "../subgraphs/settlement/sql/reads.ts";
import type { RegionConfig } from "./config.ts";

/** A subgraph with what it runs beside answering: background work, and how it ends. */
export type Module = {
  /** Who may come in, where payments are. */
  readonly admission?: Admission;
  /** What is counted: samples by their names in Prometheus's text format. */
  readonly figures?: () => Readonly<Record<string, number>>;
  readonly subgraph: Subgraph;
  readonly start: () => void;
  /** Where providers' own messages come in, if it takes any. */
  readonly inbound?: InboundDoor;
  /** Ends background work and connections; callers have stopped sending requests. */
  readonly stop: () => Promise<void>;
};

const READ_CONNECTIONS = 4;
const idle = () => {};

/** What the subgraphs of a process have in common. */
export type SharedParts = { readonly merchants: Merchants; readonly shared: SharedTier | null };

/** Builds the subgraphs, each with its own way into the database; the composition root of everything below. */
export const createModule: Record<
  SubgraphName,
  (config: RegionConfig, parts: SharedParts, log: Logger) => Promise<Module>
> = {
  payments: paymentsModule,
  ledger: ledgerModule,
  async risk(config) {
    const reader = createTenantReader("tessera_risk", config.databaseUrl, READ_CONNECTIONS);
    const resolvers = riskResolvers(createRiskReads(reader));
    return {
      subgraph: createSubgraph("risk", subgraphSchema("risk"), resolvers),
      start: idle,
      stop: reader.close,
    };
  },
  async settlement(config, { merchants }, log) {
    const reader = createTenantReader("tessera_settlement", config.databaseUrl, READ_CONNECTIONS);
    const resolvers = settlementResolvers(createSettlementReads(reader, systemClock));
    const relay = createRelay({
      url: config.databaseUrl,
      log,
      consume: (sql, events) => consumeEvents(sql, merchants, events),
    });
    return {
      subgraph: createSubgraph("settlement", subgraphSchema("settlement"), resolvers),
      start: relay.start,
      async stop() {
        await Promise.all([relay.stop(), reader.close()]);
      },
    };
  },
  async merchants(_config, { merchants }) {
    const subgraph = createSubgraph("merchants", subgraphSchema("merchants"), merchantResolvers(merchants));
    return { subgraph, start: idle, stop: async () => {} };
  },
};

/** How long a reconciliation that somebody waits for may take. */
const RECONCILE_TIMEOUT_MS = 30_000;

async function ledgerModule(config: RegionConfig, _parts: SharedParts, log: Logger): Promise<Module> {
  const { databaseUrl: url, audit } = config;
  const reader = createTenantReader("tessera_ledger", url, READ_CONNECTIONS);
  const reconciler = openReconciler({ url, connections: 1, statementTimeoutMs: RECONCILE_TIMEOUT_MS });
  const batches = createBatchReader(url);
  const projector = createProjector({ url, log });
  const proofs = createProofs({
    store: folderStore(audit.store),
    keys: audit.checkpointKeys,
    rowsOf: batches.rowsOf,
  });
  const resolvers = ledgerResolvers({
    reads: createLedgerReads(reader),
    statements: createStatementReads(reader),
    reconcile: reconciler.reconcile,
    audit: {
      paymentRows: (merchant, payment) => readPaymentRows(reader, merchant, payment),
      proofs,
      keys: audit.checkpointKeys,
    },
  });
  return {
    subgraph: createSubgraph("ledger", subgraphSchema("ledger"), resolvers),
    start: projector.start,
    async stop() {
      await projector.stop();
      await Promise.all([reader.close(), reconciler.close(), batches.close()]);
    },
  };
}

async function paymentsModule(
  config: RegionConfig,
  { merchants, shared }: SharedParts,
  log: Logger,
): Promise<Module> {
  const { databaseUrl } = config;
  const clock = systemClock;
  const reader = createTenantReader("tessera_payments", databaseUrl, READ_CONNECTIONS);
  const riskReader = createTenantReader("tessera_risk", databaseUrl, READ_CONNECTIONS);
  const committer = await openAuditedCommitter({
    url: databaseUrl,
    lanes: config.commitLanes,
    auditKey: config.audit.key,
    signingKey: config.audit.signingKey,
    keys: config.audit.checkpointKeys,
    store: folderStore(config.audit.store),
    log,
  });
  const cached = createCachedReads({ reads: createPaymentReads(reader), url: databaseUrl, shared, log });
  const queue = createRecoveryQueue(databaseUrl);
  const vault = createVaultClient({
    url: config.vaultUrl,
    signer: await signingKey(config.signingKey),
    clock,
  });
  const providers = createProviders(config.providers.map(({ connector }) => connector));
  const accounts = Object.fromEntries(
    config.providers.map(({ connector, account }) => [connector.name, account]),
  );
  const { threeDs } = config;
  const transport = createProviderTransport({
    providers: threeDs === null ? accounts : { ...accounts, [DIRECTORY]: threeDs.account },
    vault,
    deadlineMs: config.providerDeadlineMs,
  });
  const admission = createAdmission(config.maxInFlight);
  const found = createDuplicates(databaseUrl, reader);
  const duplicates = watchDuplicates({ duplicates: found, reads: cached.reads, clock, log });
  const rulesWriter = connectAs("tessera_routing", databaseUrl, { connections: 1 });
  // A request that the transport gives up has left the breaker's room a second later at the latest.
  const deadlineMs = config.providerDeadlineMs + 1_000;
  const routing = openRouting(
    providers,
    { reader, writer: rulesWriter, log },
    {
      gate: {
        ...ROUTER_DEFAULTS.gate,
        deadlineMs,
        ...(config.breakers ? {} : { breaker: NEVER_OPENS }),
      },
    },
  );
  const deps: PaymentDeps = {
    commit: cached.dropping(committer.commit),
    reads: cached.reads,
    queue,
    merchants,
    assess: createAssess({
      reader: riskReader,
      deadlineMs: config.riskDeadlineMs,
      onDegraded: (because) => log.warn({ because }, "risk decided without its facts"),
    }),
    vault,
    providers,
    router: routing.router,
    webhookBase: config.webhookBase,
    threeDs: threeDs?.threeDs ?? null,
    transport: awayAtProviders(transport, admission),
    duplicates,
    admission,
    forgetter: createCvcForgetter(vault, log),
    clock,
    log,
    crash: crashPoints(process.env),
    referenceSecret: config.referenceSecret,
    checkoutSecret: config.checkoutSecret,
    providerDeadlineMs: config.providerDeadlineMs,
    live: new Map(),
  };
  const recovery = createRecovery(deps);
  const webhookSecrets = Object.fromEntries(
    config.providers.map(({ connector, webhookSecrets: secrets }) => [connector.name, secrets]),
  );
  return {
    admission,
    figures: () => ({ ...admission.figures(), ...duplicates.figures() }),
    inbound: createInboundDoor({ ...deps, webhookSecrets }),
    subgraph: createSubgraph("payments", subgraphSchema("payments"), paymentResolvers(deps, routing)),
    start: recovery.start,
    async stop() {
      await recovery.stop();
      await Promise.allSettled(deps.live.values());
      await deps.forgetter.flush();
      await duplicates.stop();
      await Promise.all([
        reader.close(),
        riskReader.close(),
        queue.close(),
        cached.close(),
        found.close(),
        rulesWriter.end({ timeout: 2 }),
        committer.close(),
        transport.close(),
        vault.close(),
      ]);
    },
  };
}
