/**
 * A payment intent before anything was asked of it.
 */

import { randomText } from "../kit/ids.ts";
import { newId } from "./ids.ts";
import type { PaymentIntentRecord } from "./records.ts";
import type { Work } from "./store.ts";

/** What a creation always says. */
export type NewIntent = Pick<
  PaymentIntentRecord,
  "amount" | "currency" | "captureMethod" | "confirmationMethod" | "automaticPaymentMethods" | "customer"
>;

/** All that was not asked for is off, empty or zero. */
export function newIntent(work: Work, asked: NewIntent): PaymentIntentRecord {
  const id = newId("pi");
  return {
    id,
    created: work.nowSeconds,
    clientSecret: `${id}_secret_${randomText(24)}`,
    status: "requires_payment_method",
    paymentMethodTypes: ["card"],
    requestMulticapture: false,
    requestIncrementalAuthorization: false,
    requestOvercapture: false,
    requestThreeDSecure: "automatic",
    setupCredentialUsage: null,
    storedCredentialUsage: null,
    mitNetworkTransactionId: null,
    importedAuthentication: null,
    description: null,
    statementDescriptorSuffix: null,
    receiptEmail: null,
    setupFutureUsage: null,
    shipping: null,
    transferGroup: null,
    metadata: {},
    paymentMethod: null,
    latestCharge: null,
    amountCapturable: 0,
    amountReceived: 0,
    increments: 0,
    lastPaymentError: null,
    nextAction: null,
    authenticated: false,
    cancellationReason: null,
    canceledAt: null,
    decision: null,
    ...asked,
  };
}
