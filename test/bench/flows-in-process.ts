import { createSecretKey } from "node:crypto";
import pino from "pino";
import { createTenantReader } from "../../subgraphs/database/tenant-reader.ts";
import { systemClock } from "../../subgraphs/kernel/clock.ts";
import { openCommitter } from "../../subgraphs/ledger/committer.ts";
import { createMerchants } from "../../subgraphs/merchants/profile.ts";
import { createStripeConnector } from "../../subgraphs/payments/connectors/stripe/index.ts";
import type { ProviderTransport } from "../../subgraphs/payments/connectors/transport.ts";
import { createAdmission } from "../../subgraphs/payments/flow/admission.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import { createCvcForgetter } from "../../subgraphs/payments/flow/forget-cvc.ts";
import { createRelay } from "../../subgraphs/payments/relay.ts";
import { createRouter } from "../../subgraphs/payments/routing/create-router.ts";
import { createProviders } from "../../subgraphs/payments/routing/router.ts";
import { createPaymentReads } from "../../subgraphs/payments/sql/reads.ts";
import { createRecoveryQueue } from "../../subgraphs/payments/sql/recovery-queue.ts";
import type { VaultClient } from "../../subgraphs/payments/vault/client.ts";
import { createAssess } from "../../subgraphs/risk/assess.ts";
import { consumeEvents } from "../../subgraphs/settlement/consume.ts";
import { recordAnswers } from "./direct-provider.ts";

/** The payment flows in this process, over a real database, with a vault and a provider that answer at once. */
export type PaymentCore = { readonly deps: PaymentDeps; close(): Promise<void> };

/** The card that the vault of this core knows. */
export const CORE_TOKEN = "tok_01_bench000000000000000000000000000";

const COMMIT_LANES = 2;
const READ_CONNECTIONS = 4;
const PROVIDER_DEADLINE_MS = 10_000;
/** As in a region: what comes later is decided without the facts, and says so. */
const RISK_DEADLINE_MS = 50;

/** With the same connections as a region process, and its outbox relay beside it. */
export async function openPaymentCore(databaseUrl: string): Promise<PaymentCore> {
  const log = pino({ level: "silent" });
  const reader = createTenantReader("tessera_payments", databaseUrl, READ_CONNECTIONS);
  const riskReader = createTenantReader("tessera_risk", databaseUrl, READ_CONNECTIONS);
  const auditKey = createSecretKey(Buffer.alloc(32, "bench"));
  const committer = openCommitter({ url: databaseUrl, lanes: COMMIT_LANES, auditKey, log });
  const queue = createRecoveryQueue(databaseUrl);
  const merchants = createMerchants({ url: databaseUrl, clock: systemClock });
  const relay = createRelay({
    url: databaseUrl,
    log,
    consume: (sql, events) => consumeEvents(sql, merchants, events),
  });
  const providers = createProviders([createStripeConnector()]);
  const deps: PaymentDeps = {
    commit: committer.commit,
    reads: createPaymentReads(reader),
    queue,
    merchants,
    assess: createAssess({ reader: riskReader, deadlineMs: RISK_DEADLINE_MS, onDegraded: () => {} }),
    vault: instantVault,
    providers,
    router: createRouter(providers),
    webhookBase: null,
    threeDs: null,
    transport: await instantTransport(),
    duplicates: null,
    admission: createAdmission(4_096),
    forgetter: createCvcForgetter(instantVault, log),
    clock: systemClock,
    log,
    crash: () => {},
    referenceSecret: "r".repeat(32),
    checkoutSecret: "c".repeat(32),
    providerDeadlineMs: PROVIDER_DEADLINE_MS,
    live: new Map(),
  };
  relay.start();
  return {
    deps,
    async close() {
      await relay.stop();
      await Promise.allSettled(deps.live.values());
      await Promise.all([
        reader.close(),
        riskReader.close(),
        committer.close(),
        queue.close(),
        merchants.close(),
      ]);
    },
  };
}

/** Knows one card, without a security code. */
const instantVault: VaultClient = {
  async describe(_merchant, token) {
    const facts = { brand: "visa", bin: "42424242", last4: "4242", expMonth: 12, expYear: 2040 };
    return { ok: true, value: { card: { token, ...facts, fingerprint: "fp_bench" }, cvcAvailable: false } };
  },
  async forgetCvc() {},
  async egress() {
    throw new Error("unreachable: the transport of this core asks no vault");
  },
  async close() {},
};

/** Gives everyone what the sandbox once answered to such an authorization and to its capture. */
async function instantTransport(): Promise<ProviderTransport> {
  const { authorized, captured } = await recordAnswers();
  const headers = new Headers();
  return {
    sendFor: () => async (request) => {
      const body = request.path.endsWith("/capture") ? captured : authorized;
      return { kind: "http", status: 200, headers, body };
    },
    async close() {},
  };
}
