/**
 * The parameters that creating, updating and confirming a payment intent share.
 */

import { readCardOptions } from "./card-options.ts";
import { invalidRequest } from "./errors.ts";
import type { MetadataChange, Params } from "./params.ts";
import { type PaymentSource, readPaymentSource } from "./payment-methods.ts";
import type {
  CaptureMethod,
  CredentialUsage,
  ImportedAuthentication,
  PaymentIntentRecord,
  Shipping,
} from "./records.ts";

/** Members of a payment intent that a request may set; undefined leaves them as they are. */
export type IntentChange = {
  readonly captureMethod?: CaptureMethod | undefined;
  readonly description?: string | null | undefined;
  readonly receiptEmail?: string | null | undefined;
  readonly statementDescriptorSuffix?: string | null | undefined;
  readonly setupFutureUsage?: "on_session" | "off_session" | undefined;
  readonly shipping?: Shipping | undefined;
  readonly transferGroup?: string | undefined;
  readonly requestMulticapture?: boolean | undefined;
  readonly requestIncrementalAuthorization?: boolean | undefined;
  readonly requestOvercapture?: boolean | undefined;
  readonly setupCredentialUsage?: CredentialUsage | undefined;
  readonly storedCredentialUsage?: CredentialUsage | undefined;
  readonly mitNetworkTransactionId?: string | undefined;
  readonly importedAuthentication?: ImportedAuthentication | undefined;
  readonly requestThreeDSecure?: PaymentIntentRecord["requestThreeDSecure"] | undefined;
};

export type SharedParams = {
  readonly change: IntentChange;
  readonly metadata: MetadataChange | undefined;
  readonly source: PaymentSource | undefined;
  readonly expand: readonly string[];
};

/** Names that `readShared` reads. */
// biome-ignore format: names
export const SHARED = [
  "capture_method", "description", "expand", "metadata", "payment_method", "payment_method_data",
  "payment_method_options", "radar_options", "receipt_email", "setup_future_usage", "shipping",
  "statement_descriptor_suffix", "transfer_group",
] as const;

/** Those of them that a confirmation takes: it pays, and does not otherwise change the payment intent. */
const NOT_ON_CONFIRM: readonly string[] = [
  "description",
  "metadata",
  "statement_descriptor_suffix",
  "transfer_group",
];
export const SHARED_WITH_CONFIRM = SHARED.filter((name) => !NOT_ON_CONFIRM.includes(name));

/** Names that Stripe has and this sandbox does not play. */
// biome-ignore format: names
export const NOT_PLAYED = [
  "allowed_payment_method_types", "amount_details", "amount_to_confirm", "application_fee_amount",
  "confirmation_token", "customer_account", "excluded_payment_method_types", "hooks", "mandate", "mandate_data",
  "on_behalf_of", "payment_details", "payment_method_configuration", "statement_descriptor", "transfer_data",
] as const;

const CAPTURE_METHODS = ["automatic", "automatic_async", "manual"] as const;
const MAX_DESCRIPTION = 1_000;
const MAX_STATEMENT_SUFFIX = 22;

export function readShared(params: Params): SharedParams {
  const card = readCardOptions(params.child("payment_method_options"));
  return {
    change: {
      ...card,
      captureMethod: card.captureMethod ?? params.oneOf("capture_method", CAPTURE_METHODS),
      description: emptyToNull(params.string("description", MAX_DESCRIPTION)),
      receiptEmail: emptyToNull(params.string("receipt_email")),
      statementDescriptorSuffix: emptyToNull(
        params.string("statement_descriptor_suffix", MAX_STATEMENT_SUFFIX),
      ),
      setupFutureUsage:
        card.setupFutureUsage ?? params.oneOf("setup_future_usage", ["on_session", "off_session"]),
      shipping: readShipping(params.child("shipping")),
      transferGroup: params.string("transfer_group"),
    },
    metadata: params.metadata(),
    source: readPaymentSource(params),
    expand: params.strings("expand") ?? [],
  };
}

/** The change without its undefined members, ready to be spread over a record. */
export function applied(change: IntentChange): Partial<PaymentIntentRecord> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function emptyToNull(value: string | undefined): string | null | undefined {
  return value === "" ? null : value;
}

function readShipping(shipping: Params | undefined): Shipping | undefined {
  if (shipping === undefined) return undefined;
  shipping.expectOnly(["address", "name", "phone", "carrier", "tracking_number"]);
  const sent = shipping.child("address");
  sent?.expectOnly(["city", "country", "line1", "line2", "postal_code", "state"]);
  const address: Record<string, string> = {};
  for (const name of sent?.names() ?? []) address[name] = sent?.string(name) ?? "";
  return {
    address,
    name: shipping.requiredString("name"),
    phone: shipping.string("phone") ?? null,
    carrier: shipping.string("carrier") ?? null,
    tracking_number: shipping.string("tracking_number") ?? null,
  };
}

export type ConfirmParams = {
  readonly offSession: boolean;
  readonly errorOnRequiresAction: boolean;
  readonly returnUrl: string | null;
};

/** Names that `readConfirm` reads; on creation they go with `confirm=true` only. */
export const CONFIRM_ONLY = ["error_on_requires_action", "off_session", "return_url"] as const;

export function readConfirm(params: Params): ConfirmParams {
  const offSession = params.string("off_session");
  const named = offSession === "one_off" || offSession === "recurring";
  return {
    offSession: named || (params.boolean("off_session") ?? false),
    errorOnRequiresAction: params.boolean("error_on_requires_action") ?? false,
    returnUrl: params.string("return_url") || null,
  };
}

/** Refuses the names that only a confirmation can have. */
export function refuseConfirmOnly(params: Params): void {
  for (const name of CONFIRM_ONLY) {
    if (params.has(name)) throw invalidRequest(`${name} goes with confirm=true only.`, { param: name });
  }
}
