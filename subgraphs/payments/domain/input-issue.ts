/** One thing wrong with what was sent: where, what, and how to mend it. */
export type InputIssue = {
  readonly path: readonly string[];
  readonly code: InputIssueCode;
  readonly message: string;
};

export type InputIssueCode =
  | "REQUIRED"
  | "TOO_LONG"
  | "UNKNOWN_CURRENCY"
  | "AMOUNT_NOT_POSITIVE"
  | "AMOUNT_TOO_LARGE"
  | "AMOUNT_NOT_ACCEPTED"
  | "CURRENCY_MISMATCH"
  | "UNKNOWN_TOKEN"
  | "INVALID_CARD_SOURCE"
  | "UNKNOWN_PAYMENT_METHOD"
  | "UNKNOWN_CUSTOMER"
  | "NO_MANDATE"
  | "NO_PROVIDER"
  | "INVALID_URL"
  | "INVALID_BROWSER"
  | "EXPIRED_CARD"
  | "INVALID_COUNTRY"
  | "INVALID_EMAIL"
  | "INVALID_IP_ADDRESS"
  | "INVALID_KEY"
  | "INVALID_ATTEMPT";

export const issue = (path: readonly string[], code: InputIssueCode, message: string): InputIssue => ({
  path,
  code,
  message,
});
