/**
 * The control API from the test's side.
 */

import type { BookFilter } from "../kit/book.ts";
import { SandboxControl } from "../kit/control-client.ts";
import type { StripeBookView } from "./book.ts";
import type { StripeWorld } from "./store.ts";

export class StripeSandboxControl extends SandboxControl<StripeWorld> {
  /** `payment_intent` is the kit's `payment` under Stripe's name. */
  override async book(
    filter: BookFilter & { readonly payment_intent?: string } = {},
  ): Promise<StripeBookView> {
    const view = await super.book({ ...filter, payment: filter.payment_intent ?? filter.payment });
    return view as StripeBookView;
  }

  /** Ends the 3D Secure authentication that a payment intent waits for; gives the payment intent. */
  authenticate(paymentIntent: string, outcome: "succeed" | "fail"): Promise<{ status: string }> {
    return this.call("POST", `/3ds/${paymentIntent}`, { outcome });
  }
}
