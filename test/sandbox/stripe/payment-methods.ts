/**
 * Payment methods: made from card details, from a well-known test id, or by their own endpoint.
 */

import { cardFingerprint, schemeOf } from "../kit/cards.ts";
import { type CardDetails, checkCard, fullYear } from "./card-checks.ts";
import { invalidRequest, resourceMissing } from "./errors.ts";
import { expand } from "./expand.ts";
import { newId } from "./ids.ts";
import { renderPaymentMethod } from "./objects.ts";
import { applyMetadata, type MetadataChange, type Params } from "./params.ts";
import type { BillingDetails, PaymentMethodRecord } from "./records.ts";
import { ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";
import { declineOf, type TestCard, testCard, wellKnownCard } from "./test-cards.ts";

/** Card details as sent, and how their fields are named in errors. */
export type CardDraft = {
  readonly card: { readonly details: CardDetails } | { readonly token: string };
  readonly billing: BillingDetails;
  readonly metadata?: MetadataChange | undefined;
  readonly nameOf: (field: string) => string;
};

/** What a payment is to be made with: an existing method, or one made from details that came along. */
export type PaymentSource = { readonly id: string } | { readonly draft: CardDraft };

const OTHER_TYPES_NOTE = "The sandbox plays cards only.";
const DRAFT_FIELDS = ["type", "card", "billing_details", "metadata", "allow_redisplay", "radar_options"];
const OTHER_DRAFT_FIELDS = ["customer", "payment_method", "link", "us_bank_account", "sepa_debit", "klarna"];
const ADDRESS_FIELDS = ["city", "country", "line1", "line2", "postal_code", "state"];

/** Reads `payment_method` or `payment_method_data`; undefined where neither is given. */
export function readPaymentSource(params: Params): PaymentSource | undefined {
  const id = params.string("payment_method");
  const data = params.child("payment_method_data");
  if (id !== undefined && id !== "" && data !== undefined) {
    throw invalidRequest("Give payment_method or payment_method_data, not both.", {
      code: "parameters_exclusive",
    });
  }
  if (data !== undefined) return { draft: readDraft(data) };
  return id === undefined || id === "" ? undefined : { id };
}

/** Reads the details of a new card. Throws a 400 `Refusal` where a field is unknown or missing. */
export function readDraft(params: Params): CardDraft {
  params.expectOnly([...DRAFT_FIELDS, "expand"], OTHER_DRAFT_FIELDS);
  if (params.requiredString("type") !== "card")
    throw invalidRequest(OTHER_TYPES_NOTE, { param: params.name("type") });
  const card = params.child("card");
  if (card === undefined) throw params.missing("card");
  card.expectOnly(["number", "exp_month", "exp_year", "cvc", "token"], ["networks"]);
  const draft = {
    billing: readBilling(params.child("billing_details")),
    metadata: params.metadata(),
    nameOf: (field: string) => card.name(field),
  };
  const token = card.string("token");
  if (token !== undefined) return { ...draft, card: { token } };
  const cvc = card.string("cvc");
  const details: CardDetails = {
    number: card.requiredString("number").replaceAll(/[ -]/g, ""),
    expMonth: card.requiredInteger("exp_month"),
    expYear: card.requiredInteger("exp_year"),
    ...(cvc === undefined || cvc === "" ? {} : { cvc }),
  };
  return { ...draft, card: { details } };
}

function readBilling(params: Params | undefined): BillingDetails {
  params?.expectOnly(["address", "email", "name", "phone", "tax_id"]);
  const address: Record<string, string> = {};
  const sent = params?.child("address");
  sent?.expectOnly(ADDRESS_FIELDS);
  for (const field of ADDRESS_FIELDS) {
    const value = sent?.string(field);
    if (value !== undefined && value !== "") address[field] = value;
  }
  return {
    address,
    email: params?.string("email") || null,
    name: params?.string("name") || null,
    phone: params?.string("phone") || null,
  };
}

/** Makes a payment method of card details. Throws a 402 `Refusal` where they cannot be a card. */
export function makePaymentMethod(work: Work, draft: CardDraft): PaymentMethodRecord {
  if ("token" in draft.card) {
    const known = wellKnownCard(draft.card.token);
    if (known === undefined) throw resourceMissing("token", draft.card.token, draft.nameOf("token"), 400);
    return put(work, known, wellKnownDetails(work, known), draft);
  }
  const { details } = draft.card;
  const now = new Date(work.nowMs);
  checkCard(details, now, draft.nameOf);
  const card = testCard(details.number) ?? unknownCard(work, details.number);
  return put(work, card, { ...details, expYear: fullYear(details.expYear, now) }, draft);
}

function put(
  work: Work,
  card: TestCard,
  details: CardDetails,
  draft: Pick<CardDraft, "billing" | "metadata">,
): PaymentMethodRecord {
  return work.put("paymentMethods", {
    id: newId("pm"),
    created: work.nowSeconds,
    brand: schemeOf(card.number),
    funding: card.funding,
    country: card.country,
    last4: card.number.slice(-4),
    fingerprint: cardFingerprint(card.number),
    expMonth: details.expMonth,
    expYear: details.expYear,
    cvcGiven: details.cvc !== undefined,
    behaviour: card.behaviour,
    billing: draft.billing,
    metadata: applyMetadata({}, draft.metadata),
    customer: null,
    spent: false,
    setUp: false,
  });
}

/** A number that is not a test card: by setting an ordinary card, or a live one used in test mode. */
function unknownCard(work: Work, number: string): TestCard {
  const decline = declineOf("test_mode_live_card");
  const behaviour = work.settings.unknownCards === "decline" ? { decline } : {};
  return { number, funding: "credit", country: "US", behaviour };
}

function wellKnownDetails(work: Work, card: TestCard): CardDetails {
  const expYear = new Date(work.nowMs).getUTCFullYear() + 1;
  return {
    number: card.number,
    expMonth: 12,
    expYear,
    cvc: schemeOf(card.number) === "amex" ? "0000" : "000",
  };
}

const NO_BILLING: BillingDetails = { address: {}, email: null, name: null, phone: null };

/**
 * The payment method that a request names. A well-known id such as `pm_card_visa` stands for a fresh one.
 * Throws a 400 `Refusal` where there is none, or where it has been used up.
 */
export function resolvePaymentMethod(work: Work, source: PaymentSource): PaymentMethodRecord {
  if ("draft" in source) return makePaymentMethod(work, source.draft);
  const known = wellKnownCard(source.id);
  if (known !== undefined && source.id.startsWith("pm_")) {
    return put(work, known, wellKnownDetails(work, known), { billing: NO_BILLING });
  }
  const method = work.find("paymentMethods", source.id);
  if (method === undefined) throw resourceMissing("PaymentMethod", source.id, "payment_method", 400);
  if (method.spent) {
    throw invalidRequest(
      "This PaymentMethod has paid once already, and no customer owns it. Make a new one.",
    );
  }
  return method;
}

export const paymentMethodRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/payment_methods",
    operation: "other",
    prepare: (params) => {
      const draft = readDraft(params);
      const paths = params.strings("expand") ?? [];
      return (work) => ok(expand(work, renderPaymentMethod(makePaymentMethod(work, draft)), paths));
    },
  },
  {
    method: "GET",
    path: "/v1/payment_methods/:id",
    operation: "lookup",
    prepare: (params, id) => {
      params.expectOnly(["expand"]);
      return (work) => {
        const known = wellKnownCard(id);
        const method =
          known === undefined || !id.startsWith("pm_")
            ? work.find("paymentMethods", id)
            : resolvePaymentMethod(work, { id });
        if (method === undefined) throw resourceMissing("PaymentMethod", id, "payment_method");
        return ok(renderPaymentMethod(method));
      };
    },
  },
];
