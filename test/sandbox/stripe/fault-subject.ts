/**
 * What a fault rule can know of a request: its own parameters, and those of the payment intent it is about.
 */

import { cardFingerprint } from "../kit/cards.ts";
import type { FaultSubject } from "../kit/faults.ts";
import type { ApiRequest } from "./api-request.ts";
import type { FormFields, FormValue } from "./form.ts";
import type { Metadata, PaymentIntentRecord } from "./records.ts";
import type { Store } from "./store.ts";
import { wellKnownCard } from "./test-cards.ts";

export function subjectOf(
  store: Store,
  request: ApiRequest,
): Pick<FaultSubject, "metadata" | "cardFingerprint" | "amount"> {
  const { fields } = request.form;
  const intent = intentOf(store, request);
  const metadata: Metadata[] = [];
  const own = fields["metadata"];
  if (isFields(own)) metadata.push(own as Metadata);
  if (intent !== undefined) metadata.push(intent.metadata);
  return {
    metadata,
    cardFingerprint: cardOf(store, fields, intent),
    amount: numberIn(fields["amount_to_capture"] ?? fields["amount"]) ?? intent?.amount ?? null,
  };
}

/** The payment intent in the path, or the one that a refund is for. */
function intentOf(store: Store, request: ApiRequest): PaymentIntentRecord | undefined {
  const { payment_intent: named, charge } = request.form.fields;
  const ofCharge = typeof charge === "string" ? store.tables.charges.get(charge)?.paymentIntent : undefined;
  const id = request.id.startsWith("pi_") ? request.id : typeof named === "string" ? named : ofCharge;
  return id === undefined ? undefined : store.tables.paymentIntents.get(id);
}

function cardOf(store: Store, fields: FormFields, intent: PaymentIntentRecord | undefined): string | null {
  const data = fields["payment_method_data"];
  const number = numberOfCard(isFields(data) ? data["card"] : fields["card"]);
  if (number !== undefined) return cardFingerprint(number);
  const named = fields["payment_method"];
  if (typeof named === "string") {
    const known = wellKnownCard(named);
    if (known !== undefined) return cardFingerprint(known.number);
    return store.tables.paymentMethods.get(named)?.fingerprint ?? null;
  }
  const paid = intent?.paymentMethod;
  return paid ? (store.tables.paymentMethods.get(paid)?.fingerprint ?? null) : null;
}

function numberOfCard(card: FormValue | undefined): string | undefined {
  if (!isFields(card)) return undefined;
  const { number, token } = card;
  if (typeof number === "string") return number.replaceAll(/[ -]/g, "");
  return typeof token === "string" ? wellKnownCard(token)?.number : undefined;
}

function isFields(value: FormValue | undefined): value is FormFields {
  return typeof value === "object" && !Array.isArray(value);
}

function numberIn(value: FormValue | undefined): number | undefined {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
