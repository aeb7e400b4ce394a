/**
 * Everything the vault refuses, with its HTTP status and what the caller can do about it. No message holds
 * anything that the caller sent: it could be card data.
 */
const ERRORS = {
  INVALID_NUMBER: [422, "This card number is not valid. Check it for typing errors."],
  UNSUPPORTED_BRAND: [422, "Cards of this brand are not accepted. Use another card."],
  INVALID_EXPIRY: [422, "This expiry date is not valid. Enter month and year as on the card."],
  EXPIRED_CARD: [422, "This card has expired. Use another card."],
  INVALID_CVC: [422, "This security code is not valid. It has 3 digits, or 4 on American Express cards."],
  UNKNOWN_ENCRYPTION_KEY: [422, "The card was encrypted for a key that is not in use. Fetch it again."],
  DECRYPTION_FAILED: [422, "The card could not be decrypted. Encrypt it again with the vault's current key."],
  INVALID_REQUEST: [400, "The request is not what this endpoint takes. Compare it with the documentation."],
  UNAUTHENTICATED: [401, "The key or the signed request was not accepted. Check that it is current."],
  FORBIDDEN: [403, "The vault answers its own page and servers only, not scripts of other origins."],
  NOT_FOUND: [404, "There is nothing at this address."],
  UNKNOWN_TOKEN: [404, "No such token. It may have been deleted, or belong to another merchant."],
  METHOD_NOT_ALLOWED: [405, "This address does not take this method."],
  CVC_UNAVAILABLE: [409, "The security code is no longer kept for this request. Ask the payer for it again."],
  PAYLOAD_TOO_LARGE: [413, "The request body is larger than this endpoint takes."],
  UNSUPPORTED_MEDIA_TYPE: [415, "The request body has a content type that this endpoint does not take."],
  HOST_NOT_ALLOWED: [403, "Card data may not be sent to this host. Add it to EGRESS_ALLOW if it should be."],
  PATH_NOT_ALLOWED: [403, "Card data may not be sent to this path of the provider, nor with a query string."],
  FIELD_NOT_ALLOWED: [403, "A card placeholder must be the whole value of a field that EGRESS_ALLOW lists."],
  NO_PLACEHOLDER: [400, "No field holds a card placeholder. Send this request to the provider directly."],
  CARD_DATA_MISPLACED: [403, "The card's number stands in the request itself. Use placeholders only."],
  INVALID_REFERENCE: [400, "tessera-egress-reference must be 1 to 255 printable characters."],
  CARD_UNREADABLE: [500, "The stored card could not be opened. Its key is missing or the row was altered."],
  PROVIDER_UNREACHABLE: [502, "The provider could not be reached, or broke off. It may have acted."],
  REDIRECT_REFUSED: [502, "The provider answered with a redirect, which is not followed. It may have acted."],
  RESPONSE_TOO_LARGE: [502, "The provider's answer was too large to pass on. It may have acted."],
  PROVIDER_TIMEOUT: [504, "The provider did not answer in time. It may have acted."],
  UNAVAILABLE: [503, "The vault cannot do this right now. Try again in a moment."],
  INTERNAL: [500, "Something went wrong in the vault. Try again, and report the request id if it stays."],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type VaultErrorCode = keyof typeof ERRORS;

/** `{"error": {code, message, field?}}` with the code's status. `field` names the input of the card page. */
export function refusal(
  { code, field }: { readonly code: VaultErrorCode; readonly field?: string | undefined },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const [status, message] = ERRORS[code];
  const retry: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
  const error = field === undefined ? { code, message } : { code, message, field };
  return Response.json({ error }, { status, headers: { ...retry, ...headers } });
}
