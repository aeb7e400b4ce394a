import { AcquirerSandboxControl } from "../sandbox/acquirer/control-client.ts";
import { acquirer } from "../sandbox/acquirer/dialect.ts";
import { AdyenSandboxControl } from "../sandbox/adyen/control-client.ts";
import { adyen } from "../sandbox/adyen/dialect.ts";
import type { BookFilter, Movement } from "../sandbox/kit/book.ts";
import type { FaultRule } from "../sandbox/kit/faults.ts";
import { startSandbox } from "../sandbox/kit/server.ts";
import { MollieSandboxControl } from "../sandbox/mollie/control-client.ts";
import { mollie } from "../sandbox/mollie/dialect.ts";
import { StripeSandboxControl } from "../sandbox/stripe/control-client.ts";
import { stripe } from "../sandbox/stripe/dialect.ts";
import { API_KEYS, type ProviderName, WEBHOOK_SECRETS } from "./connectors.ts";

/** Any provider's sandbox with the switches that all of them have, and its book. */
export type ProviderSandbox = {
  readonly name: ProviderName;
  readonly url: string;
  faults(rules: readonly FaultRule[]): Promise<void>;
  /** The shared settings of the kit, and the provider's own. */
  settings(change: Readonly<Record<string, unknown>>): Promise<void>;
  /** The movements of money, oldest first, each under the reference of the request that moved it. */
  book(filter?: BookFilter): Promise<readonly ReferredMovement[]>;
  /** Webhooks that are neither accepted nor given up; 0 where the provider has none. */
  waitingWebhooks(): Promise<number>;
  /** What the payer does at the bank's page of this payment; only where the provider has one. */
  authenticate: ((payment: string, outcome: "succeed" | "fail") => Promise<void>) | null;
  stop(): Promise<void>;
};

/** Beyond every sequence: what was sent long ago is not asked for. */
const FAR = 999_999_999_999;

/** `reference`: our name of the request that moved the money, or that began what moved it later; null if nobody asked. */
export type ReferredMovement = Omit<Movement, "reference"> & { readonly reference: string | null };

/** All take it as their idempotency key; the acquirer has it in the message itself. */
const referred = (movement: Movement & { readonly message?: string }): ReferredMovement => ({
  ...movement,
  reference: movement.message ?? movement.idempotencyKey,
});

type Control = {
  faults(...rules: never[]): Promise<unknown>;
  settings(change: never): Promise<unknown>;
  book(filter?: BookFilter): Promise<{ readonly movements: readonly Movement[] }>;
  webhooks(since?: number): Promise<{ readonly waiting: number }>;
};

/** Starts a provider's sandbox in this process, with a book of its own. Short delays, so that tests need not wait. */
export async function startProvider(name: ProviderName, webhookUrl?: string): Promise<ProviderSandbox> {
  const options = { port: 0, apiKey: API_KEYS[name], webhookUrl };
  switch (name) {
    case "stripe": {
      const running = await startSandbox(stripe, options);
      const control = new StripeSandboxControl(running.url);
      const authenticate = async (payment: string, outcome: "succeed" | "fail") =>
        void (await control.authenticate(payment, outcome));
      return ready(name, running, control, { searchLagMs: 0, refundDelayMs: 100 }, authenticate);
    }
    case "adyen": {
      const running = await startSandbox(adyen, options);
      return ready(name, running, new AdyenSandboxControl(running.url), {});
    }
    case "mollie": {
      const running = await startSandbox(mollie, { ...options, webhookUrl: undefined });
      return ready(name, running, new MollieSandboxControl(running.url), {});
    }
    case "acquirer": {
      const running = await startSandbox(acquirer, options);
      return ready(name, running, new AcquirerSandboxControl(running.url), { refundDelayMs: 100 });
    }
  }
}

async function ready(
  name: ProviderName,
  running: { readonly url: string; readonly stop: () => Promise<void> },
  control: Control,
  settings: Readonly<Record<string, unknown>>,
  authenticate: ProviderSandbox["authenticate"] = null,
): Promise<ProviderSandbox> {
  const change = async (wanted: Readonly<Record<string, unknown>>) =>
    void (await control.settings(wanted as never));
  await change({ ...settings, webhooks: { secret: WEBHOOK_SECRETS[name] } });
  return {
    name,
    url: running.url,
    faults: async (rules) => void (await control.faults(...(rules as never[]))),
    settings: change,
    book: async (filter) => (await control.book(filter)).movements.map(referred),
    waitingWebhooks: async () => (await control.webhooks(FAR)).waiting,
    authenticate,
    stop: running.stop,
  };
}
