/**
 * The outcome of a cardholder's authentication by 3-D Secure 2 (EMVCo 3-D Secure Protocol and Core Functions
 * Specification 2.2/2.3): what is sent with the authorization, and who bears fraud.
 */

/** EMVCo transStatus, of an ARes or an RReq. */
export type TransStatus = "Y" | "N" | "U" | "A" | "C" | "D" | "R" | "I";

export type Authentication = {
  /** Such as "2.2.0". */
  readonly version: string;
  readonly transStatus: TransStatus;
  readonly transStatusReason: string | null;
  /** Electronic commerce indicator as the scheme has it: 05/06/07, Mastercard 02/01/00. Null if none was given. */
  readonly eci: string | null;
  /** Base64, 28 characters; null where the issuer gave none. */
  readonly cavv: string | null;
  /** UUIDs of the directory server, the access control server and ours. */
  readonly dsTransaction: string | null;
  readonly acsTransaction: string | null;
  readonly serverTransaction: string;
  /** Whether the issuer bears fraud. */
  readonly liabilityShift: boolean;
  /** Whether the payer was asked. */
  readonly challenged: boolean;
};

/** Why the payer need not be asked (PSD2 RTS articles 13 to 18). */
export type Exemption =
  | "low_value"
  | "transaction_risk_analysis"
  | "trusted_beneficiary"
  | "recurring"
  | "corporate";
