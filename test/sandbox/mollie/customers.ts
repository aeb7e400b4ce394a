/**
 * Customers, and the mandates that their first payments leave: stored cards that may be charged without them.
 */

import { noSuchToken } from "./errors.ts";
import { newId } from "./ids.ts";
import { pageOf, readPage } from "./listing.ts";
import { renderCustomer, renderMandate, type WireObject } from "./objects.ts";
import * as params from "./params.ts";
import type { CustomerRecord, MandateRecord } from "./records.ts";
import type { Execution, MollieRequest, Work } from "./world.ts";

export function createCustomer({ body }: MollieRequest): Execution {
  params.refuseOthers(body, ["name", "email", "locale", "metadata"]);
  const terms = {
    name: params.optionalText(body, "name"),
    email: params.optionalText(body, "email"),
    locale: params.optionalText(body, "locale"),
    metadata: params.metadata(body),
  };
  return (work) => {
    const customer = work.put("customers", { ...terms, id: newId("cst"), created: work.nowMs });
    return { status: 201, body: renderCustomer(customer, work) };
  };
}

function customerOf(work: Work, { ids }: MollieRequest): CustomerRecord {
  const [id = ""] = ids;
  return work.find("customers", id) ?? noSuchToken(id);
}

function mandateOf(work: Work, request: MollieRequest): MandateRecord {
  const { id } = customerOf(work, request);
  const mandate = work.find("mandates", request.ids[1] ?? "");
  return mandate?.customer === id ? mandate : noSuchToken(request.ids[1] ?? "");
}

export const getCustomer = (request: MollieRequest): Execution => {
  return (work) => ({ status: 200, body: renderCustomer(customerOf(work, request), work) });
};

export const getMandate = (request: MollieRequest): Execution => {
  return (work) => ({ status: 200, body: renderMandate(mandateOf(work, request), work) });
};

export function listMandates(request: MollieRequest): Execution {
  readPage(request.query);
  return (work) => {
    const { id } = customerOf(work, request);
    const render = (mandate: string): WireObject => renderMandate(work.get("mandates", mandate), work);
    const ids = work.store.tables.mandates.ids(id);
    return { status: 200, body: pageOf(work, request, "mandates", ids, render) };
  };
}

export function revokeMandate(request: MollieRequest): Execution {
  return (work) => {
    work.put("mandates", { ...mandateOf(work, request), status: "invalid" });
    return { status: 204, body: "" };
  };
}
