import type { Connector } from "../connectors/connector.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";
import type { Exclusion } from "../domain/routing/reason.ts";

/**
 * Why the provider cannot take the payment by what it declares, or null. What is not known of the payment (a card's
 * country) excludes nobody: the provider will say, and a definite refusal goes on to the next.
 */
export function incapable({ capabilities, refusesAmount }: Connector, facts: RoutingFacts): Exclusion | null {
  const { amount, card, cardCountry, captureMethod, stored, payerPresent, canRedirect, method } = facts;
  const { brands, currencies, countries, manualCapture, merchantInitiated, directCards } = capabilities;
  if (method !== undefined && method.type !== "card") return "method";
  if (!brands.includes(card.brand)) return "brand";
  if (currencies !== null && !currencies.includes(amount.currency)) return "currency";
  if (countries !== null && cardCountry !== null && !countries.includes(cardCountry)) return "country";
  if (captureMethod === "manual" && !manualCapture) return "manual_capture";
  if (stored?.initiator === "merchant" && !merchantInitiated) return "merchant_initiated";
  // It would ask for the card on a page of its own.
  if (!directCards && !(payerPresent && canRedirect)) return "needs_payer";
  return refusesAmount(amount) === null ? null : "amount";
}
