import { declaredVars } from "../workerd-config.ts";

/** The production rules of Stripe, for a provider at another origin: what is tested is what is deployed. */
export function sandboxAllowList(origin: string): string {
  const declared = JSON.parse(declaredVars("vault")["EGRESS_ALLOW"] ?? "[]") as object[];
  return JSON.stringify(declared.map((destination) => ({ ...destination, origin })));
}

/** A card as a payer types it; every test that needs another says in what. */
export const VISA = { number: "4242 4242 4242 4242", expMonth: 12, expYear: 2030, cvc: "123" } as const;

/** A payment intent's form as the region writes it. */
export function cardForm(fields: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({
    amount: "4900",
    currency: "eur",
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": "{{card.number}}",
    "payment_method_data[card][exp_month]": "{{card.exp_month}}",
    "payment_method_data[card][exp_year]": "{{card.exp_year}}",
    "payment_method_data[card][cvc]": "{{card.cvc}}",
    ...fields,
  }).toString();
}

/** A payment as Adyen's connector writes it, with one more member or another in place of one. */
export function cardJson(members: object = {}, card: object = {}): string {
  const paymentMethod = {
    type: "scheme",
    number: "{{card.number}}",
    expiryMonth: "{{card.exp_mm}}",
    expiryYear: "{{card.exp_year}}",
    cvc: "{{card.cvc}}",
    ...card,
  };
  return JSON.stringify({ amount: { value: 4900, currency: "EUR" }, paymentMethod, ...members });
}

/** The headers that go with it, without the region's signature. */
export function egressHeaders(url: string, token: string, reference = "ref_1"): Record<string, string> {
  return {
    "content-type": "application/x-www-form-urlencoded",
    authorization: "Bearer sk_test_provider",
    "idempotency-key": reference,
    "tessera-egress-url": url,
    "tessera-egress-token": token,
    "tessera-egress-reference": reference,
  };
}
