import { createHash, createSecretKey } from "node:crypto";
import pino from "pino";
import { createTenantReader } from "../../subgraphs/database/tenant-reader.ts";
import { type Clock, systemClock } from "../../subgraphs/kernel/clock.ts";
import type { Currency } from "../../subgraphs/kernel/currency.ts";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { moneyOf } from "../../subgraphs/kernel/money.ts";
import { openCommitter } from "../../subgraphs/ledger/committer.ts";
import { createMerchants } from "../../subgraphs/merchants/profile.ts";
import type { StripeOptions } from "../../subgraphs/payments/connectors/stripe/index.ts";
import { createProviderTransport } from "../../subgraphs/payments/connectors/transport.ts";
import type { AuthorizeCommand } from "../../subgraphs/payments/domain/commands.ts";
import { createAdmission } from "../../subgraphs/payments/flow/admission.ts";
import { authorize } from "../../subgraphs/payments/flow/authorize.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import { createCvcForgetter } from "../../subgraphs/payments/flow/forget-cvc.ts";
import type { Outcome } from "../../subgraphs/payments/flow/outcome.ts";
import { NEVER_OPENS } from "../../subgraphs/payments/routing/breaker.ts";
import {
  createRouter,
  ROUTER_DEFAULTS,
  type RouterOptions,
} from "../../subgraphs/payments/routing/create-router.ts";
import { createProviders } from "../../subgraphs/payments/routing/router.ts";
import { createPaymentReads } from "../../subgraphs/payments/sql/reads.ts";
import { createRecoveryQueue } from "../../subgraphs/payments/sql/recovery-queue.ts";
import { createAssess } from "../../subgraphs/risk/assess.ts";
import { StripeSandboxControl } from "../sandbox/stripe/control-client.ts";
import { accountFor, connectorFor, type ProviderName } from "./connectors.ts";
import { freshDatabase, type TestDatabase } from "./database.ts";
import { type ProviderSandbox, startProvider } from "./provider-sandboxes.ts";
import { VaultDouble } from "./vault-double.ts";

export { VaultDouble } from "./vault-double.ts";

/** A clock that a test can move; it runs on from there. */
export class MovableClock implements Clock {
  aheadMs = 0;
  now() {
    return new Date(Date.now() + this.aheadMs);
  }
}

export type PaymentWorld = {
  readonly database: TestDatabase;
  readonly deps: PaymentDeps;
  readonly vault: VaultDouble;
  readonly clock: MovableClock;
  /** Stripe's, which is there unless others are asked for. */
  readonly sandbox: StripeSandboxControl;
  /** All of them, in the order of `WorldOptions.providers`. */
  readonly sandboxes: readonly ProviderSandbox[];
  /** Another region process over the same database, that knows nothing of the first one's memory. */
  readonly another: (overrides?: Partial<PaymentDeps>) => PaymentDeps;
  stop(): Promise<void>;
};

/** A router whose breakers never open: a test of one provider's failures asks it again and again. */
export const ALWAYS_CLOSED: Partial<RouterOptions> = {
  gate: { ...ROUTER_DEFAULTS.gate, breaker: NEVER_OPENS },
};

export type WorldOptions = {
  readonly router?: Partial<RouterOptions>;
  readonly stripe?: StripeOptions;
  readonly providerDeadlineMs?: number;
  /** Stripe alone where not given. */
  readonly providers?: readonly ProviderName[];
};

/** Of every test that applies commits, so that one may follow what another wrote. */
export const AUDIT_KEY = createSecretKey(Buffer.alloc(32, "audit"));

/** The payment flows over a real database and the providers' sandboxes. */
export async function startPaymentWorld(options: WorldOptions = {}): Promise<PaymentWorld> {
  const database = await freshDatabase();
  const names = options.providers ?? ["stripe"];
  const sandboxes = await Promise.all(names.map((name) => startProvider(name)));
  const stripe = sandboxes.find(({ name }) => name === "stripe");
  const vault = new VaultDouble();
  const clock = new MovableClock();
  const log = pino({ level: process.env["TEST_LOG"] ?? "silent" });
  const providerDeadlineMs = options.providerDeadlineMs ?? 1_000;
  const closing: (() => Promise<unknown>)[] = [];

  const build = (overrides: Partial<PaymentDeps> = {}): PaymentDeps => {
    const reader = createTenantReader("tessera_payments", database.url, 4);
    const riskReader = createTenantReader("tessera_risk", database.url, 2);
    const committer = openCommitter({ url: database.url, lanes: 2, auditKey: AUDIT_KEY, log });
    const queue = createRecoveryQueue(database.url);
    const providers = createProviders(names.map((name) => connectorFor(name, options)));
    const merchants = createMerchants({ url: database.url, clock: systemClock });
    const transport = createProviderTransport({
      providers: Object.fromEntries(sandboxes.map(({ name, url }) => [name, accountFor(name, url)])),
      vault,
      deadlineMs: providerDeadlineMs,
    });
    closing.push(
      () => reader.close(),
      () => riskReader.close(),
      () => committer.close(),
      () => queue.close(),
      () => merchants.close(),
      () => transport.close(),
    );
    return {
      commit: committer.commit,
      reads: createPaymentReads(reader),
      queue,
      merchants,
      assess: createAssess({ reader: riskReader, deadlineMs: 2_000, onDegraded: () => {} }),
      vault,
      providers,
      router: createRouter(providers, options.router ?? ALWAYS_CLOSED),
      webhookBase: null,
      threeDs: null,
      transport,
      duplicates: null,
      admission: createAdmission(4_096),
      forgetter: createCvcForgetter(vault, log),
      clock,
      log,
      crash: () => {},
      referenceSecret: "r".repeat(32),
      checkoutSecret: "c".repeat(32),
      providerDeadlineMs,
      live: new Map(),
      ...overrides,
    };
  };

  return {
    database,
    deps: build(),
    vault,
    clock,
    sandbox: new StripeSandboxControl(stripe?.url ?? "http://127.0.0.1:9"),
    sandboxes,
    another: build,
    async stop() {
      await Promise.all(closing.map((close) => close()));
      await Promise.all(sandboxes.map((sandbox) => sandbox.stop()));
      await database.drop();
    },
  };
}

let keys = 0;
export const newKey = (): string => `key-${process.pid}-${++keys}`;

export function authorizeCommand(
  merchant: MerchantId,
  token: string,
  overrides: Partial<AuthorizeCommand> & { minor?: bigint; currency?: Currency } = {},
): AuthorizeCommand {
  const { minor = 10_000n, currency = "EUR", ...rest } = overrides;
  return {
    merchant,
    key: newKey(),
    amount: moneyOf(minor, currency),
    source: { type: "token", token, customer: null, store: null },
    captureMethod: "manual",
    description: null,
    reference: null,
    payer: { ip: null, country: null, email: null },
    returnUrl: null,
    browser: null,
    ...rest,
  };
}

/** Authorizes as the resolver would. */
export async function authorizeAs(deps: PaymentDeps, command: AuthorizeCommand): Promise<Outcome> {
  const fingerprint = `${command.amount.minor}${command.amount.currency}${JSON.stringify(command.source)}`;
  const digest = createHash("sha256").update(fingerprint).digest("hex");
  const outcome = await authorize(deps, { command, fingerprint: digest, session: null });
  if (outcome.kind === "session_moved") throw new Error("there is no session");
  return outcome;
}
