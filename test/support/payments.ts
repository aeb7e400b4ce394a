import { createHash, createSecretKey, randomBytes } from "node:crypto";
import pino from "pino";
import { createTenantReader } from "../../subgraphs/database/tenant-reader.ts";
import { type Clock, systemClock } from "../../subgraphs/kernel/clock.ts";
import type { Currency } from "../../subgraphs/kernel/currency.ts";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { moneyOf } from "../../subgraphs/kernel/money.ts";
import { openCommitter } from "../../subgraphs/ledger/committer.ts";
import { createMerchants } from "../../subgraphs/merchants/profile.ts";
import {
  createStripeConnector,
  type StripeOptions,
  stripeAccount,
} from "../../subgraphs/payments/connectors/stripe/index.ts";
import { createProviderTransport } from "../../subgraphs/payments/connectors/transport.ts";
import type { AuthorizeCommand } from "../../subgraphs/payments/domain/commands.ts";
import { createAdmission } from "../../subgraphs/payments/flow/admission.ts";
import { authorize } from "../../subgraphs/payments/flow/authorize.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import { createCvcForgetter } from "../../subgraphs/payments/flow/forget-cvc.ts";
import type { Outcome } from "../../subgraphs/payments/flow/outcome.ts";
import { BREAKER_LIMITS } from "../../subgraphs/payments/routing/breaker.ts";
import {
  createRouter,
  ROUTER_DEFAULTS,
  type RouterOptions,
} from "../../subgraphs/payments/routing/create-router.ts";
import { createProviders } from "../../subgraphs/payments/routing/router.ts";
import { createPaymentReads } from "../../subgraphs/payments/sql/reads.ts";
import { createRecoveryQueue } from "../../subgraphs/payments/sql/recovery-queue.ts";
import type { EgressRequest, VaultClient } from "../../subgraphs/payments/vault/client.ts";
import { createAssess } from "../../subgraphs/risk/assess.ts";
import { StripeSandboxControl } from "../sandbox/stripe/control-client.ts";
import { startStripeSandbox } from "../sandbox/stripe/server.ts";
import { freshDatabase, type TestDatabase } from "./database.ts";

/** A vault without cryptography: a token names its card number. The provider gets what the real one would send. */
export class VaultDouble implements VaultClient {
  readonly cards = new Map<
    string,
    { number: string; expYear: number; cvc: string | null; boundTo: string | null }
  >();
  readonly forgotten: string[] = [];

  tokenize(number = "4242424242424242", cvc: string | null = "123", expYear = 2040): string {
    const token = `tok_01_${randomBytes(16).toString("hex")}`;
    this.cards.set(token, { number, expYear, cvc, boundTo: null });
    return token;
  }

  async describe(_: MerchantId, token: string, reference: string) {
    const card = this.cards.get(token);
    if (card === undefined) return { ok: false, error: { code: "UNKNOWN_TOKEN" } } as const;
    if (card.cvc !== null) card.boundTo ??= reference;
    const { number, expYear, cvc, boundTo } = card;
    const brand = number.startsWith("4") ? "visa" : "mastercard";
    const facts = { brand, bin: number.slice(0, 8), last4: number.slice(-4), expMonth: 12, expYear };
    const cvcAvailable = cvc !== null && (boundTo === null || boundTo === reference);
    return {
      ok: true,
      value: { card: { token, ...facts, fingerprint: `fp_${number.slice(-4)}` }, cvcAvailable },
    } as const;
  }

  async forgetCvc(_: MerchantId, tokens: readonly string[]) {
    for (const token of tokens) {
      const card = this.cards.get(token);
      if (card !== undefined) card.cvc = null;
      this.forgotten.push(token);
    }
  }

  async egress({ token, reference, url, headers, body, deadlineMs }: EgressRequest) {
    const card = this.cards.get(token);
    const wantsCvc = decodeURIComponent(body).includes("{{card.cvc}}");
    const cvcUsable = card?.cvc && (card.boundTo === null || card.boundTo === reference);
    if (card === undefined || (wantsCvc && !cvcUsable)) {
      return {
        status: 409,
        headers: { "tessera-egress": "refused" },
        body: '{"error":{"code":"CVC_UNAVAILABLE"}}',
      };
    }
    if (wantsCvc) card.boundTo = reference;
    const filled = decodeURIComponent(body)
      .replace("{{card.number}}", card.number)
      .replace("{{card.exp_month}}", "12")
      .replace("{{card.exp_year}}", "2040")
      .replace("{{card.cvc}}", card.cvc ?? "");
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: new URLSearchParams(filled),
        signal: AbortSignal.timeout(deadlineMs - 1_000),
      });
      const answered = { "tessera-egress": "forwarded", ...Object.fromEntries(response.headers) };
      return { status: response.status, headers: answered, body: await response.text() };
    } catch {
      return { status: 502, headers: { "tessera-egress": "failed" }, body: "{}" };
    }
  }

  async close() {}
}

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
  readonly sandbox: StripeSandboxControl;
  /** Another region process over the same database, that knows nothing of the first one's memory. */
  readonly another: (overrides?: Partial<PaymentDeps>) => PaymentDeps;
  stop(): Promise<void>;
};

/** A router whose breakers never open: a test of one provider's failures asks it again and again. */
export const ALWAYS_CLOSED: Partial<RouterOptions> = {
  gate: {
    ...ROUTER_DEFAULTS.gate,
    breaker: {
      ...BREAKER_LIMITS,
      inARow: Number.POSITIVE_INFINITY,
      ofOneMerchant: Number.POSITIVE_INFINITY,
      rate: { ...BREAKER_LIMITS.rate, share: 2 },
    },
  },
};

export type WorldOptions = {
  readonly router?: Partial<RouterOptions>; readonly stripe?: StripeOptions; readonly providerDeadlineMs?: number };

const API_KEY = "sk_test_sandbox";
/** Of every test that applies commits, so that one may follow what another wrote. */
export const AUDIT_KEY = createSecretKey(Buffer.alloc(32, "audit"));

/** The payment flows over a real database and the provider's sandbox. */
export async function startPaymentWorld(options: WorldOptions = {}): Promise<PaymentWorld> {
  const database = await freshDatabase();
  const running = await startStripeSandbox({ port: 0, apiKey: API_KEY });
  const sandbox = new StripeSandboxControl(running.url);
  await sandbox.settings({ searchLagMs: 0, refundDelayMs: 100 });
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
    const providers = createProviders([createStripeConnector(options.stripe)]);
    const merchants = createMerchants({ url: database.url, clock: systemClock });
    const transport = createProviderTransport({
      providers: { stripe: stripeAccount({ baseUrl: running.url, secretKey: API_KEY }) },
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
    sandbox,
    another: build,
    async stop() {
      await Promise.all(closing.map((close) => close()));
      await running.stop();
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
