/**
 * Customers, and the payment methods that are theirs: enough to store a card and to charge it later without them.
 * Source: docs.stripe.com/api/customers and docs.stripe.com/api/payment_methods/attach.
 */

import { resourceMissing } from "./errors.ts";
import { newId } from "./ids.ts";
import { LIST_PARAMS, list, listQuery } from "./listing.ts";
import { renderPaymentMethod, type WireObject } from "./objects.ts";
import { applyMetadata, type Params } from "./params.ts";
import { resolvePaymentMethod } from "./payment-methods.ts";
import type { CustomerRecord } from "./records.ts";
import { type Execution, ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";

export function renderCustomer(customer: CustomerRecord): WireObject {
  return {
    id: customer.id,
    object: "customer",
    address: null,
    balance: 0,
    created: customer.created,
    currency: null,
    default_source: null,
    delinquent: false,
    description: customer.description,
    discount: null,
    email: customer.email,
    invoice_prefix: customer.id.slice(-8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: customer.metadata,
    name: customer.name,
    next_invoice_sequence: 1,
    phone: customer.phone,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: null,
  };
}

/** The customer that a parameter names. Throws a `Refusal`: 404 where it is in the path, 400 elsewhere. */
export function findCustomer(work: Work, id: string, status: 400 | 404 = 400): CustomerRecord {
  const customer = work.find("customers", id);
  if (customer === undefined) throw resourceMissing("customer", id, "customer", status);
  return customer;
}

function prepareCreate(params: Params): Execution {
  params.expectOnly(
    ["description", "email", "expand", "metadata", "name", "phone"],
    ["address", "balance", "invoice_settings", "payment_method", "shipping", "source", "tax"],
  );
  const text = (name: string): string | null => params.string(name) || null;
  const draft = {
    name: text("name"),
    email: text("email"),
    phone: text("phone"),
    description: text("description"),
    metadata: applyMetadata({}, params.metadata()),
  };
  return (work) =>
    ok(renderCustomer(work.put("customers", { id: newId("cus"), created: work.nowSeconds, ...draft })));
}

function prepareRetrieve(params: Params, id: string): Execution {
  params.expectOnly(["expand"]);
  return (work) => ok(renderCustomer(findCustomer(work, id, 404)));
}

function prepareAttach(params: Params, id: string): Execution {
  params.expectOnly(["customer", "expand"]);
  const customer = params.requiredString("customer");
  return (work) => {
    findCustomer(work, customer);
    const method = resolvePaymentMethod(work, { id });
    return ok(renderPaymentMethod(work.put("paymentMethods", { ...method, customer })));
  };
}

/** A payment method that was a customer's is of no more use. */
function prepareDetach(params: Params, id: string): Execution {
  params.expectOnly(["expand"]);
  return (work) => {
    const method = resolvePaymentMethod(work, { id });
    return ok(renderPaymentMethod(work.put("paymentMethods", { ...method, customer: null, spent: true })));
  };
}

function prepareMethods(params: Params, id: string): Execution {
  params.expectOnly([...LIST_PARAMS, "type"]);
  const query = listQuery(params);
  return (work) => {
    findCustomer(work, id, 404);
    const page = list(query, {
      table: work.store.tables.paymentMethods,
      noun: "payment method",
      url: `/v1/customers/${id}/payment_methods`,
      accept: ({ customer }) => customer === id,
      render: renderPaymentMethod,
    });
    return ok(page);
  };
}

export const customerRoutes: readonly Route[] = [
  { method: "POST", path: "/v1/customers", operation: "other", prepare: prepareCreate },
  { method: "GET", path: "/v1/customers/:id", operation: "lookup", prepare: prepareRetrieve },
  {
    method: "GET",
    path: "/v1/customers/:id/payment_methods",
    operation: "lookup",
    prepare: prepareMethods,
  },
  { method: "POST", path: "/v1/payment_methods/:id/attach", operation: "other", prepare: prepareAttach },
  { method: "POST", path: "/v1/payment_methods/:id/detach", operation: "other", prepare: prepareDetach },
];
