/**
 * Controls that only this sandbox has: the customer's side of 3D Secure, and the book in Stripe's terms.
 */

import { bookOf, type ControlCall, ControlReply, type ControlRoutes, refuse } from "../kit/control.ts";
import { header } from "../kit/http.ts";
import {
  authenticate,
  authenticationPage,
  confirmationKey,
  readOutcome,
  returnAddress,
} from "./authentication.ts";
import type { StripeBookView } from "./book.ts";
import { decodeForm } from "./form.ts";
import { renderPaymentIntent } from "./objects.ts";
import type { PaymentIntentRecord } from "./records.ts";
import type { StripeWorld } from "./store.ts";

type Call = ControlCall<StripeWorld>;

export const control: ControlRoutes<StripeWorld> = {
  "GET book": stripeBook,
  "GET 3ds/:id": (call) => new ControlReply({ status: 200, body: authenticationPage(waitingFor(call).id) }),
  "POST 3ds/:id": answerAuthentication,
};

/** The kit's book; `payment_intent` filters as `payment` does. */
function stripeBook(call: Call): StripeBookView {
  const query = new URLSearchParams(call.query);
  const named = query.get("payment_intent");
  if (named !== null) query.set("payment", named);
  const view = bookOf({ ...call, query });
  return { ...view, paymentIntents: view.payments };
}

function waitingFor({ sandbox, ids: [id = ""] }: Call): PaymentIntentRecord {
  return sandbox.store.tables.paymentIntents.get(id) ?? refuse(404, "no such payment intent");
}

/** The bank's answer: by form from a browser, by JSON from a test. */
async function answerAuthentication(call: Call): Promise<unknown> {
  const { sandbox, message, body } = call;
  const before = waitingFor(call);
  const isJson = header(message, "content-type")?.startsWith("application/json") === true;
  const sent = isJson ? (JSON.parse(body) as Record<string, unknown>) : decodeForm(body).fields;
  const outcome = readOutcome(sent["outcome"]);
  const [after, rendered] = sandbox.change(confirmationKey(before), (work) => {
    const intent = authenticate(work, before.id, outcome);
    return [intent, renderPaymentIntent(work, intent)] as const;
  });
  const address = returnAddress(before.nextAction?.returnUrl ?? null, after);
  if (isJson || address === null) return rendered;
  return new ControlReply({ status: 303, body: "", headers: { location: address } });
}
