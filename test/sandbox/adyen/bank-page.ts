/**
 * The bank's page that a shopper is redirected to, and where they go from there. Only for payments that asked Adyen to
 * authenticate; those that bring their own 3-D Secure result never see it.
 */

import { ControlReply, type ControlRoutes, refuse } from "../kit/control.ts";
import { answerBank } from "./outcomes.ts";
import type { AdyenWorld, PaymentRecord } from "./world.ts";

/** Where the shopper goes afterwards: back, with the proof that ends the payment at `/payments/details`. */
function returnAddress({ returnUrl, redirect }: PaymentRecord): string {
  const address = new URL(returnUrl);
  address.searchParams.set("redirectResult", redirect?.result ?? "");
  return address.href;
}

const page = (
  id: string,
): string => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Bank (sandbox)</title>
<h1>Is this payment yours?</h1>
<form method="post" action="/_sandbox/bank/${id}">
<button name="outcome" value="succeed">Yes</button> <button name="outcome" value="fail">No</button>
</form></html>`;

/** The page, and its form; a test may also post JSON and gets the return address. */
export const bankRoutes: ControlRoutes<AdyenWorld> = {
  "GET bank/:id": ({ sandbox, ids }) => {
    const payment = sandbox.store.tables.payments.get(ids[0] ?? "");
    if (payment?.status !== "redirected") return refuse(404, "no such payment waits for its bank");
    return new ControlReply({ status: 200, body: page(payment.id) });
  },
  "POST bank/:id": ({ sandbox, ids, body, message }) => {
    const payment = sandbox.store.tables.payments.get(ids[0] ?? "");
    if (payment?.status !== "redirected") return refuse(404, "no such payment waits for its bank");
    const json = (message.headers["content-type"] ?? "").startsWith("application/json");
    const outcome = json
      ? (JSON.parse(body) as { outcome?: unknown }).outcome
      : new URLSearchParams(body).get("outcome");
    if (outcome !== "succeed" && outcome !== "fail") return refuse(400, "outcome must be succeed or fail");
    const answered = sandbox.change(null, (work) => answerBank(work, payment, outcome === "succeed"));
    const location = returnAddress(answered);
    return json ? { location } : new ControlReply({ status: 303, body: "", headers: { location } });
  },
};
