import { acquirerAccount } from "../../subgraphs/payments/connectors/acquirer/account.ts";
import { createAcquirerConnector } from "../../subgraphs/payments/connectors/acquirer/index.ts";
import { adyenAccount, createAdyenConnector } from "../../subgraphs/payments/connectors/adyen/index.ts";
import type { Connector } from "../../subgraphs/payments/connectors/connector.ts";
import { createMollieConnector, mollieAccount } from "../../subgraphs/payments/connectors/mollie/index.ts";
import {
  createStripeConnector,
  type StripeOptions,
  stripeAccount,
} from "../../subgraphs/payments/connectors/stripe/index.ts";
import type { ProviderAccount } from "../../subgraphs/payments/connectors/transport.ts";

/** The product's side of every provider, set up for its sandbox. The sandboxes' side is in provider-sandboxes.ts. */
export const PROVIDER_NAMES = ["stripe", "adyen", "mollie", "acquirer"] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** What the sandbox lets in: its `apiKey`. */
export const API_KEYS: Readonly<Record<ProviderName, string>> = {
  stripe: "sk_test_sandbox",
  adyen: "adyen_test_sandbox",
  mollie: "test_sandbox",
  acquirer: "ak_test_sandbox:acquirer-test-secret",
};

/** What signs each provider's webhooks; Mollie's classic ones are not signed. */
export const WEBHOOK_SECRETS: Readonly<Record<ProviderName, string>> = {
  stripe: "whsec_sandbox_secret",
  adyen: "A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90",
  mollie: "mollie-sandbox-secret",
  acquirer: "acquirer-sandbox-secret",
};

export function connectorFor(
  name: ProviderName,
  { stripe = {} }: { readonly stripe?: StripeOptions } = {},
): Connector {
  switch (name) {
    case "stripe":
      return createStripeConnector(stripe);
    case "adyen":
      return createAdyenConnector({
        merchantAccount: "TesseraECOM",
        returnUrl: "https://pay.tessera.example/return",
        multipleCaptures: true,
      });
    case "mollie":
      return createMollieConnector();
    case "acquirer":
      return createAcquirerConnector();
  }
}

/** How the product reaches the sandbox at `url`. */
export function accountFor(name: ProviderName, url: string): ProviderAccount {
  const apiKey = API_KEYS[name];
  switch (name) {
    case "stripe":
      return stripeAccount({ baseUrl: url, secretKey: apiKey });
    case "adyen":
      return adyenAccount({ baseUrl: `${url}/v72`, apiKey });
    case "mollie":
      return mollieAccount({ baseUrl: url, apiKey });
    case "acquirer": {
      const [keyId = "", secret = ""] = apiKey.split(":");
      return acquirerAccount({ baseUrl: url, keyId, secret });
    }
  }
}
