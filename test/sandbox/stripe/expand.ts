/**
 * The `expand[]` parameter: ids in an answer become the objects that they name.
 * Source: docs.stripe.com/api/expanding_objects (at most four levels; lists are expanded through `data`).
 */

import { renderBalanceTransaction, renderRefund } from "./balance-objects.ts";
import { invalidRequest } from "./errors.ts";
import { renderCharge, renderPaymentIntent, renderPaymentMethod, type WireObject } from "./objects.ts";
import type { Work } from "./store.ts";

const MAX_LEVELS = 4;

/** Which members of which objects can be expanded. */
const EXPANDABLE: Readonly<Record<string, readonly string[]>> = {
  payment_intent: ["latest_charge", "payment_method"],
  charge: ["payment_intent", "balance_transaction", "refunds"],
  refund: [
    "charge",
    "payment_intent",
    "payment_method",
    "balance_transaction",
    "failure_balance_transaction",
  ],
  balance_transaction: ["source"],
};

const INLINE_REFUNDS = 10;

/** Expands `object` (which it changes and gives back) along every path, for example `latest_charge.refunds`. */
export function expand(work: Work, object: WireObject, paths: readonly string[]): WireObject {
  for (const path of paths) {
    const steps = path.split(".");
    if (steps.length > MAX_LEVELS) throw invalidRequest(`Expansion is at most ${MAX_LEVELS} levels deep.`);
    expandSteps(work, object, steps, path);
  }
  return object;
}

function expandSteps(work: Work, object: WireObject, steps: readonly string[], path: string): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (object["object"] === "list" || object["object"] === "search_result") {
    if (step === "total_count" && object["object"] === "search_result") return;
    if (step !== "data" || rest.length === 0) throw notExpandable(path);
    for (const item of object["data"] as WireObject[]) expandSteps(work, item, rest, path);
    return;
  }
  if (!EXPANDABLE[String(object["object"])]?.includes(step)) throw notExpandable(path);
  if (step === "refunds" && object["refunds"] === undefined) object["refunds"] = inlineRefunds(work, object);
  const value = object[step];
  const expanded = typeof value === "string" ? render(work, value) : value;
  object[step] = expanded;
  if (expanded !== null && expanded !== undefined) expandSteps(work, expanded as WireObject, rest, path);
}

function notExpandable(path: string): Error {
  return invalidRequest(`This property cannot be expanded (${path}).`, { param: "expand" });
}

function render(work: Work, id: string): WireObject {
  if (id.startsWith("pi_")) return renderPaymentIntent(work, work.get("paymentIntents", id));
  if (id.startsWith("ch_")) return renderCharge(work, work.get("charges", id));
  if (id.startsWith("re_")) return renderRefund(work.get("refunds", id));
  if (id.startsWith("pm_")) return renderPaymentMethod(work.get("paymentMethods", id));
  return renderBalanceTransaction(work, work.get("balanceTransactions", id));
}

function inlineRefunds(work: Work, charge: WireObject): WireObject {
  const id = String(charge["id"]);
  const ids = [...work.store.tables.refunds.ids(id)].reverse();
  return {
    object: "list",
    data: ids.slice(0, INLINE_REFUNDS).map((refund) => renderRefund(work.get("refunds", refund))),
    has_more: ids.length > INLINE_REFUNDS,
    url: `/v1/charges/${id}/refunds`,
  };
}
