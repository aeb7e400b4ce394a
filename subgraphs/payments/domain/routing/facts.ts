import type { Money } from "../../../kernel/money.ts";
import type { CaptureMethod, Card } from "../payment.ts";
import type { StoredCredential } from "../stored-credential.ts";

export type Funding = "credit" | "debit" | "prepaid";

/** How the payer pays. Only cards are carried out so far; rules can speak of the others already. */
export type Method =
  | { readonly type: "card" }
  | { readonly type: "wallet"; readonly wallet: string }
  | { readonly type: "bank_transfer" };

/** What a choice of provider is made from; and what a merchant's rules can speak of. */
export type RoutingFacts = {
  readonly merchant: string;
  readonly amount: Money;
  readonly captureMethod: CaptureMethod;
  readonly card: Card;
  /** ISO 3166-1 alpha-2, from the card's BIN; null if not known. */
  readonly cardCountry: string | null;
  readonly payerCountry: string | null;
  readonly stored: StoredCredential | null;
  /** A payer is there. */
  readonly payerPresent: boolean;
  /** The payer can be sent to a page of a provider's and back. */
  readonly canRedirect: boolean;
  /** Null or absent if not known. */
  readonly cardFunding?: Funding | null;
  /** A card if absent. */
  readonly method?: Method;
};
