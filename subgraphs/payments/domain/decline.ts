/**
 * Why a payment did not happen, in our words, whatever the provider's. `retry` says what may help: `another_card` the
 * payer should use another card; `fix_input` the payer mistyped; `authenticate` the payer has to prove who they are; `later`
 * try again later; `no` do not try again. `elsewhere`: another provider may well take the same card, so a cascade goes on; the
 * card schemes fine merchants for repeating what an issuer has refused, so an issuer's word never has it.
 */
export const DECLINE_CODES = {
  generic_decline: {
    retry: "another_card",
    elsewhere: false,
    message: "The card was declined. Try another card.",
  },
  insufficient_funds: {
    retry: "another_card",
    elsewhere: false,
    message: "The card does not have enough funds. Try another card.",
  },
  lost_card: { retry: "another_card", elsewhere: false, message: "The card was declined. Try another card." },
  stolen_card: {
    retry: "another_card",
    elsewhere: false,
    message: "The card was declined. Try another card.",
  },
  expired_card: {
    retry: "another_card",
    elsewhere: false,
    message: "The card has expired. Try another card.",
  },
  closed_account: {
    retry: "another_card",
    elsewhere: false,
    message: "The card was declined. Try another card.",
  },
  incorrect_cvc: {
    retry: "fix_input",
    elsewhere: false,
    message: "The card's security code is not right. Check it and try again.",
  },
  incorrect_number: {
    retry: "fix_input",
    elsewhere: false,
    message: "The card number is not right. Check it and try again.",
  },
  incorrect_address: {
    retry: "fix_input",
    elsewhere: false,
    message: "The billing address is not the card's. Check it and try again.",
  },
  limit_exceeded: {
    retry: "another_card",
    elsewhere: false,
    message: "The amount is over the card's limit. Try another card.",
  },
  card_not_supported: {
    retry: "another_card",
    elsewhere: true,
    message: "This card does not support this purchase. Try another card.",
  },
  currency_not_supported: {
    retry: "another_card",
    elsewhere: true,
    message: "The card does not take this currency. Try another card.",
  },
  stored_credential_revoked: {
    retry: "no",
    elsewhere: false,
    message: "The cardholder has ended this agreement with their bank. Ask for another card.",
  },
  authentication_required: {
    retry: "authenticate",
    elsewhere: false,
    message: "The card's bank asks the payer to authenticate.",
  },
  authentication_failed: {
    retry: "another_card",
    elsewhere: false,
    message: "The payer could not be authenticated. Try another card.",
  },
  payer_absent: {
    retry: "later",
    elsewhere: false,
    message: "The payer did not complete the payment in time. Nothing was charged.",
  },
  processing_error: {
    retry: "later",
    elsewhere: true,
    message: "The card could not be processed. Try again in a moment.",
  },
  issuer_unavailable: {
    retry: "later",
    elsewhere: true,
    message: "The card's bank cannot be reached. Try again in a moment.",
  },
  suspected_fraud: { retry: "no", elsewhere: false, message: "The payment was declined." },
  blocked_by_risk: { retry: "no", elsewhere: false, message: "The payment was declined." },
  duplicate_payment: {
    retry: "no",
    elsewhere: false,
    message: "The same card has just paid the same amount. Nothing was charged.",
  },
  amount_not_accepted: {
    retry: "no",
    elsewhere: true,
    message: "The provider does not take this amount in this currency.",
  },
  multiple_captures_unsupported: {
    retry: "no",
    elsewhere: false,
    message: "This card allows one capture only: capture once, as the final capture.",
  },
  authorization_expired: {
    retry: "no",
    elsewhere: false,
    message: "The authorization is no longer valid at the provider.",
  },
  refund_returned: {
    retry: "no",
    elsewhere: false,
    message: "The cardholder's bank returned the refund: the money is yours again.",
  },
  provider_refused: { retry: "no", elsewhere: true, message: "The provider refused the request." },
  provider_unavailable: {
    retry: "later",
    elsewhere: true,
    message: "The provider takes nothing at the moment: nothing was charged.",
  },
  not_at_provider: {
    retry: "later",
    elsewhere: false,
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
