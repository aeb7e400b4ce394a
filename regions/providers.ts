import { z } from "zod";
import { acquirerAccount } from "../subgraphs/payments/connectors/acquirer/account.ts";
import { createAcquirerConnector } from "../subgraphs/payments/connectors/acquirer/index.ts";
import { adyenAccount, createAdyenConnector } from "../subgraphs/payments/connectors/adyen/index.ts";
import type { Connector } from "../subgraphs/payments/connectors/connector.ts";
import { createMollieConnector, mollieAccount } from "../subgraphs/payments/connectors/mollie/index.ts";
import { createStripeConnector, stripeAccount } from "../subgraphs/payments/connectors/stripe/index.ts";
import type { ProviderAccount } from "../subgraphs/payments/connectors/transport.ts";

/** A provider that this region has an account at. */
export type ConfiguredProvider = {
  readonly connector: Connector;
  readonly account: ProviderAccount;
  /** With which it signs what it tells us: the current secret and former ones. */
  readonly webhookSecrets: readonly string[];
};

const ms = z.coerce.number().int().positive().optional();
const connections = z.coerce.number().int().positive().max(1_024).optional();
/** Separated by commas or spaces: the current one, and former ones while they are rotated. */
const secrets = z
  .string()
  .default("")
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ""));

/** Each provider is there if its key is. */
export const providerEnvironment = z.object({
  STRIPE_BASE_URL: z.url().default("https://api.stripe.com"),
  STRIPE_SECRET_KEY: z.string().min(1).optional(),
  STRIPE_WEBHOOK_SECRETS: secrets,
  STRIPE_IDEMPOTENCY_WINDOW_MS: z.coerce.number().int().nonnegative().optional(),
  STRIPE_MAX_REQUEST_LIFETIME_MS: ms,
  ADYEN_BASE_URL: z.url().default("https://checkout-test.adyen.com/v72"),
  ADYEN_API_KEY: z.string().min(1).optional(),
  ADYEN_MERCHANT_ACCOUNT: z.string().min(1).optional(),
  ADYEN_WEBHOOK_SECRETS: secrets,
  MOLLIE_BASE_URL: z.url().default("https://api.mollie.com"),
  MOLLIE_API_KEY: z.string().min(1).optional(),
  MOLLIE_WEBHOOK_SECRETS: secrets,
  ACQUIRER_BASE_URL: z.url().optional(),
  ACQUIRER_KEY_ID: z.string().min(1).optional(),
  ACQUIRER_SECRET: z.string().min(1).optional(),
  ACQUIRER_WEBHOOK_SECRETS: secrets,
  PROVIDER_CONNECTIONS: connections,
});
type ProviderEnvironment = z.infer<typeof providerEnvironment>;

/** Throws if none is configured, or one by half. */
export function configuredProviders(e: ProviderEnvironment, returnUrl: string): ConfiguredProvider[] {
  const found = [stripe(e), adyen(e, returnUrl), mollie(e), acquirer(e)].filter((one) => one !== null);
  if (found.length === 0)
    throw new Error(
      "no provider is configured: set STRIPE_SECRET_KEY, ADYEN_API_KEY, MOLLIE_API_KEY or ACQUIRER_KEY_ID",
    );
  const { PROVIDER_CONNECTIONS: maxConnections } = e;
  return maxConnections === undefined
    ? found
    : found.map((one) => ({ ...one, account: { ...one.account, maxConnections } }));
}

function stripe(e: ProviderEnvironment): ConfiguredProvider | null {
  if (e.STRIPE_SECRET_KEY === undefined) return null;
  return {
    connector: createStripeConnector({
      ...given("idempotencyWindowMs", e.STRIPE_IDEMPOTENCY_WINDOW_MS),
      ...given("maxRequestLifetimeMs", e.STRIPE_MAX_REQUEST_LIFETIME_MS),
    }),
    account: stripeAccount({ baseUrl: e.STRIPE_BASE_URL, secretKey: e.STRIPE_SECRET_KEY }),
    webhookSecrets: e.STRIPE_WEBHOOK_SECRETS,
  };
}

function adyen(e: ProviderEnvironment, returnUrl: string): ConfiguredProvider | null {
  if (e.ADYEN_API_KEY === undefined) return null;
  if (e.ADYEN_MERCHANT_ACCOUNT === undefined)
    throw new Error("ADYEN_MERCHANT_ACCOUNT is missing beside ADYEN_API_KEY");
  return {
    connector: createAdyenConnector({ merchantAccount: e.ADYEN_MERCHANT_ACCOUNT, returnUrl }),
    account: adyenAccount({ baseUrl: e.ADYEN_BASE_URL, apiKey: e.ADYEN_API_KEY }),
    webhookSecrets: e.ADYEN_WEBHOOK_SECRETS,
  };
}

function mollie(e: ProviderEnvironment): ConfiguredProvider | null {
  if (e.MOLLIE_API_KEY === undefined) return null;
  return {
    connector: createMollieConnector(),
    account: mollieAccount({ baseUrl: e.MOLLIE_BASE_URL, apiKey: e.MOLLIE_API_KEY }),
    webhookSecrets: e.MOLLIE_WEBHOOK_SECRETS,
  };
}

function acquirer(e: ProviderEnvironment): ConfiguredProvider | null {
  if (e.ACQUIRER_KEY_ID === undefined) return null;
  const { ACQUIRER_BASE_URL: baseUrl, ACQUIRER_SECRET: secret } = e;
  if (baseUrl === undefined || secret === undefined)
    throw new Error("ACQUIRER_BASE_URL and ACQUIRER_SECRET are needed beside ACQUIRER_KEY_ID");
  return {
    connector: createAcquirerConnector(),
    account: acquirerAccount({ baseUrl, keyId: e.ACQUIRER_KEY_ID, secret }),
    webhookSecrets: e.ACQUIRER_WEBHOOK_SECRETS,
  };
}

const given = <K extends string, V>(name: K, value: V | undefined) =>
  (value === undefined ? {} : { [name]: value }) as Partial<Record<K, V>>;
