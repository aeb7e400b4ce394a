/**
 * The control API from the test's side, and the payer's hand on the hosted page.
 */

import { SandboxControl } from "../kit/control-client.ts";
import type { FailureReason } from "./failure-reasons.ts";
import type { MollieWorld } from "./world.ts";

export type TypedCard = {
  readonly number: string;
  /** MM/YY; a date to come where not given. */
  readonly expiry?: string;
  readonly cvc?: string;
  readonly holder?: string;
};

/** What became of the payment, and where a browser would go now. */
export type PageAnswer = {
  readonly payment: { readonly id: string; readonly status: string };
  readonly redirectTo: string | null;
};

export type PickedOutcome =
  | { readonly outcome: "paid" | "canceled" | "expired" | "pending" }
  | { readonly outcome: "failed"; readonly failureReason: FailureReason };

export class MollieSandboxControl extends SandboxControl<MollieWorld> {}

/** Types a card into the page at `checkoutUrl`, which is `_links.checkout.href`. */
export function payByCard(checkoutUrl: string, card: TypedCard): Promise<PageAnswer> {
  const cvc = /^3[47]/.test(card.number) ? "1234" : "123";
  return send(checkoutUrl, { expiry: "12/39", cvc, ...card });
}

/** Takes an outcome without a card. */
export function pickOutcome(checkoutUrl: string, picked: PickedOutcome): Promise<PageAnswer> {
  return send(checkoutUrl, picked);
}

/** Answers on the bank's page, to which `payByCard` was sent. */
export function answerBank(bankUrl: string, outcome: "succeed" | "fail" | "abandon"): Promise<PageAnswer> {
  return send(bankUrl, { outcome });
}

async function send(url: string, body: object): Promise<PageAnswer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the page answered ${response.status} ${text}`);
  return JSON.parse(text) as PageAnswer;
}
