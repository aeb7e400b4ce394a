import type { PlatformSecrets } from "./dev-secrets.ts";
import type { PortName } from "./ports.ts";

/** The outside world on this machine: each provider, and the card schemes' directories, as a process of its own. */
export const DEV_PROVIDERS = ["stripe", "adyen", "mollie", "acquirer"] as const;
export type DevProvider = (typeof DEV_PROVIDERS)[number];

export type OutsidePart = {
  /** Its port, and its name among the platform's parts. */
  readonly port: PortName;
  /** Below test/sandbox. */
  readonly folder: string;
  /** The origin in the vault's allow-list that it stands in for; null if cards are never sent there. */
  readonly standsFor: string | null;
  readonly apiKey: (secrets: PlatformSecrets) => string;
  /** The name under which it sends webhooks; null if it sends them to where each request says, or none. */
  readonly webhooks: string | null;
  /** What the region has to know to reach it. */
  readonly env: (url: string, secrets: PlatformSecrets) => Readonly<Record<string, string>>;
};

/** With which sandboxes sign unless they are told another. */
const WEBHOOK_SECRET = "sandbox-webhook-secret";

const PROVIDERS: Readonly<Record<DevProvider, OutsidePart>> = {
  stripe: {
    port: "sandbox",
    folder: "stripe",
    standsFor: "https://api.stripe.com",
    apiKey: ({ providerKey }) => providerKey,
    webhooks: "stripe",
    env: (url, { providerKey }) => ({
      STRIPE_BASE_URL: url,
      STRIPE_SECRET_KEY: providerKey,
      STRIPE_WEBHOOK_SECRETS: WEBHOOK_SECRET,
    }),
  },
  adyen: {
    port: "adyen",
    folder: "adyen",
    standsFor: "https://checkout-live.adyen.example.com",
    apiKey: () => "adyen_test_sandbox",
    webhooks: "adyen",
    env: (url) => ({
      ADYEN_BASE_URL: `${url}/v72`,
      ADYEN_API_KEY: "adyen_test_sandbox",
      ADYEN_MERCHANT_ACCOUNT: "TesseraECOM",
      ADYEN_WEBHOOK_SECRETS: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    }),
  },
  mollie: {
    port: "mollie",
    folder: "mollie",
    standsFor: null,
    apiKey: () => "test_mollie_sandbox",
    webhooks: null,
    env: (url) => ({ MOLLIE_BASE_URL: url, MOLLIE_API_KEY: "test_mollie_sandbox" }),
  },
  acquirer: {
    port: "acquirer",
    folder: "acquirer",
    standsFor: "https://acquirer.example.com",
    apiKey: () => "ak_test_sandbox:acquirer-test-secret",
    webhooks: "acquirer",
    env: (url) => ({
      ACQUIRER_BASE_URL: url,
      ACQUIRER_KEY_ID: "ak_test_sandbox",
      ACQUIRER_SECRET: "acquirer-test-secret",
      ACQUIRER_WEBHOOK_SECRETS: WEBHOOK_SECRET,
    }),
  },
};

const DIRECTORY: OutsidePart = {
  port: "directory",
  folder: "three-ds",
  standsFor: "https://directory-server.example.com",
  apiKey: () => "three_ds_test_key",
  webhooks: null,
  env: (url) => ({
    THREE_DS_BASE_URL: url,
    THREE_DS_KEY: "three_ds_test_key",
    THREE_DS_PATH: "/ds/areq",
    THREE_DS_LOOPBACK: "1",
    THREE_DS_SECRETS: WEBHOOK_SECRET,
  }),
};

/** The parts of the outside world that a platform needs. */
export function outsideWorld(options: {
  readonly providers?: readonly DevProvider[];
  readonly threeDs?: boolean;
}): readonly OutsidePart[] {
  const providers = (options.providers ?? ["stripe"]).map((name) => PROVIDERS[name]);
  return options.threeDs === true ? [...providers, DIRECTORY] : providers;
}
