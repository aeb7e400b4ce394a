import { generateKeyPairSync } from "node:crypto";
import pino from "pino";
import { createTenantReader } from "../../subgraphs/database/tenant-reader.ts";
import { systemClock } from "../../subgraphs/kernel/clock.ts";
import { signingKey as vaultKey } from "../../subgraphs/kernel/identity.ts";
import { type MerchantId, uuidOf } from "../../subgraphs/kernel/ids.ts";
import { folderStore } from "../../subgraphs/ledger/audit/folder-store.ts";
import { publicHalf } from "../../subgraphs/ledger/audit/keys.ts";
import { openAuditedCommitter } from "../../subgraphs/ledger/audited.ts";
import { createMerchants } from "../../subgraphs/merchants/profile.ts";
import { createProviderTransport } from "../../subgraphs/payments/connectors/transport.ts";
import { createAdmission } from "../../subgraphs/payments/flow/admission.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import { createCvcForgetter } from "../../subgraphs/payments/flow/forget-cvc.ts";
import { createRecovery } from "../../subgraphs/payments/flow/recover.ts";
import { createRelay } from "../../subgraphs/payments/relay.ts";
import { createRouter } from "../../subgraphs/payments/routing/create-router.ts";
import { createProviders } from "../../subgraphs/payments/routing/router.ts";
import { createPaymentReads } from "../../subgraphs/payments/sql/reads.ts";
import { createRecoveryQueue } from "../../subgraphs/payments/sql/recovery-queue.ts";
import { createVaultClient } from "../../subgraphs/payments/vault/client.ts";
import { createAssess } from "../../subgraphs/risk/assess.ts";
import { consumeEvents } from "../../subgraphs/settlement/consume.ts";
import { accountFor, connectorFor, PROVIDER_NAMES } from "../support/connectors.ts";
import { preferring } from "../support/routing-rules.ts";
import type { RegionSettings } from "./protocol.ts";
import { AUDIT_KEY, CHECKOUT_SECRET, REFERENCE_SECRET, SIGNING_KEY } from "./secrets.ts";

/** A region's payments as `regions/modules.ts` puts them together, without the doors before them. */
export type SimulatedRegion = {
  readonly deps: PaymentDeps;
  /** Recovery and the relay begin. */
  begin(): void;
  crashAt(point: string, nth: number): void;
  stop(): Promise<void>;
};

export async function openRegion(settings: RegionSettings): Promise<SimulatedRegion> {
  const { databaseUrl: url, providerDeadlineMs } = settings;
  const log = pino({ level: settings.logLevel });
  const reader = createTenantReader("tessera_payments", url, 4);
  const riskReader = createTenantReader("tessera_risk", url, 2);
  const committer = await openAuditedCommitter({
    url,
    lanes: 2,
    auditKey: AUDIT_KEY,
    signingKey: SIGNING_KEY,
    keys: publicHalf(SIGNING_KEY),
    store: folderStore(settings.auditStore),
    log,
  });
  const queue = createRecoveryQueue(url);
  const merchants = createMerchants({ url, clock: systemClock });
  const vault = createVaultClient({ url: settings.vaultUrl, signer: await anyKey(), clock: systemClock });
  const names = PROVIDER_NAMES.filter((name) => settings.providers[name] !== undefined);
  const providers = createProviders(names.map((name) => connectorFor(name)));
  const transport = createProviderTransport({
    providers: Object.fromEntries(
      names.map((name) => [name, accountFor(name, settings.providers[name] ?? "")]),
    ),
    vault,
    deadlineMs: providerDeadlineMs,
  });
  const crashes = new Map<string, number>();
  const deps: PaymentDeps = {
    commit: committer.commit,
    reads: createPaymentReads(reader),
    queue,
    merchants,
    // What waits on a stalled database is no finding of this run.
    assess: createAssess({ reader: riskReader, deadlineMs: 10_000, onDegraded: () => {} }),
    vault,
    providers,
    // Each merchant prefers another provider, and some none, so that all are asked.
    router: createRouter(providers, {
      rules: preferring(names, (merchant) => names[numberOf(merchant) % (names.length + 1)] ?? null),
    }),
    webhookBase: settings.webhookBase,
    threeDs: null,
    transport,
    duplicates: null,
    admission: createAdmission(4_096),
    forgetter: createCvcForgetter(vault, log),
    clock: systemClock,
    log,
    crash: (point) => {
      const left = (crashes.get(point) ?? 0) - 1;
      if (left === 0) process.kill(process.pid, "SIGKILL");
      if (left > 0) crashes.set(point, left);
    },
    referenceSecret: REFERENCE_SECRET,
    checkoutSecret: CHECKOUT_SECRET,
    providerDeadlineMs,
    live: new Map(),
  };
  const recovery = createRecovery(deps);
  const relay = createRelay({ url, log, consume: (sql, events) => consumeEvents(sql, merchants, events) });
  return {
    deps,
    begin() {
      recovery.start();
      relay.start();
    },
    crashAt: (point, nth) => void crashes.set(point, nth),
    async stop() {
      await Promise.all([recovery.stop(), relay.stop()]);
      await Promise.allSettled(deps.live.values());
      await deps.forgetter.flush();
      const open = [reader, riskReader, queue, committer, transport, vault, merchants];
      await Promise.all(open.map((one) => one.close()));
    },
  };
}

/** The merchant's number in the plan, which its id holds (world.ts). */
const numberOf = (merchant: MerchantId): number => Number.parseInt(uuidOf(merchant).slice(24, 32), 16);

/** The vault of the simulator asks nobody who they are. */
function anyKey() {
  const { privateKey } = generateKeyPairSync("ed25519");
  return vaultKey({ ...privateKey.export({ format: "jwk" }), kid: "simulator" });
}
