/**
 * Why a payment did not happen, in our words, whatever the provider's. `retry` says what may help:
 * `another_card` the payer should use another card; `fix_input` the payer mistyped; `later` try again later;
 * `no` do not try again.
 */
export const DECLINE_CODES = {
  generic_decline: { retry: "another_card", message: "The card was declined. Try another card." },
  insufficient_funds: {
    retry: "another_card",
    message: "The card does not have enough funds. Try another card.",
  },
  lost_card: { retry: "another_card", message: "The card was declined. Try another card." },
  stolen_card: { retry: "another_card", message: "The card was declined. Try another card." },
  expired_card: { retry: "another_card", message: "The card has expired. Try another card." },
  incorrect_cvc: {
    retry: "fix_input",
    message: "The card's security code is not right. Check it and try again.",
  },
  incorrect_number: { retry: "fix_input", message: "The card number is not right. Check it and try again." },
  limit_exceeded: {
    retry: "another_card",
    message: "The amount is over the card's limit. Try another card.",
  },
  card_not_supported: {
    retry: "another_card",
    message: "This card does not support this purchase. Try another card.",
  },
  currency_not_supported: {
    retry: "another_card",
    message: "The card does not take this currency. Try another card.",
  },
  authentication_required: {
    retry: "another_card",
    message: "The card's bank asks for an authentication that cannot be shown here. Try another card.",
  },
  processing_error: { retry: "later", message: "The card could not be processed. Try again in a moment." },
  suspected_fraud: { retry: "no", message: "The payment was declined." },
  blocked_by_risk: { retry: "no", message: "The payment was declined." },
  amount_not_accepted: { retry: "no", message: "The provider does not take this amount in this currency." },
  multiple_captures_unsupported: {
    retry: "no",
    message: "This card allows one capture only: capture once, as the final capture.",
  },
  provider_refused: { retry: "no", message: "The provider refused the request." },
  not_at_provider: {
    retry: "later",
    message: "The provider never received the request: nothing was charged.",
  },
} as const;

export type DeclineCode = keyof typeof DECLINE_CODES;

export type Decline = {
  readonly code: DeclineCode;
  readonly message: string;
  /** The provider's own code, for support; never shown to a payer. */
  readonly providerCode: string | null;
};

export function declineOf(code: DeclineCode, providerCode: string | null = null): Decline {
  return { code, message: DECLINE_CODES[code].message, providerCode };
}
