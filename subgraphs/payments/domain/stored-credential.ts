/**
 * How a stored card is used (Visa's and Mastercard's stored credential rules): the first payment is made with the payer
 * and stores the card; those that follow without the payer refer to it by the scheme's transaction id.
 */
export type StoredCredential = {
  readonly initiator: "customer" | "merchant";
  /** What the card is stored for. */
  readonly reason: "on_demand" | "recurring" | "installment" | "unscheduled";
  /** This payment stores it. */
  readonly first: boolean;
  /** Of the payment that stored it; null with `first`. */
  readonly networkTransactionId: string | null;
  /** Where the provider that is asked keeps stored cards itself. */
  readonly atProvider?: StoredAtProvider | null;
};

/** The names under which a provider keeps a payer and their stored card: no other provider knows them. */
export type StoredAtProvider = {
  readonly customer: string;
  /** Null until a payment has stored the card. */
  readonly mandate: string | null;
};
