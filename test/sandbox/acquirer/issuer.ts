/** The issuer's side: what it answers to an authorization, from the card's behaviour and what was sent with it. */

import { randomBytes } from "node:crypto";
import { hasExpired, passesLuhn, schemeOf } from "../kit/cards.ts";
import type { PurchaseMessage, StoredCredential } from "./message.ts";
import type { AnswerFields } from "./records.ts";
import { type CardBehaviour, testCard } from "./test-cards.ts";

export type Judgement = {
  readonly responseCode: string;
  readonly brand: string;
  readonly refunds: "approved" | "in_progress" | "returned";
  /** What the issuer and the scheme tell besides the code. */
  readonly tells: AnswerFields;
};

const FULLY = ["05", "02"];
const ATTEMPTED = ["06", "01"];
const MASTERCARD_ECI = ["00", "01", "02", "04"];

export function judge(
  message: PurchaseMessage,
  unknownCards: "accept" | "decline",
  nowMs: number,
): Judgement {
  const { card, cvc } = { card: message.card, cvc: message.card.cvc };
  const brand = schemeOf(card.pan);
  const known = testCard(card.pan);
  const behaviour = known?.behaviour ?? {};
  const responseCode = codeFor(
    message,
    behaviour,
    brand,
    nowMs,
    known === undefined && unknownCards === "decline",
  );
  return {
    responseCode,
    brand,
    refunds: behaviour.refunds ?? "approved",
    tells: {
      ...(cvc === undefined ? {} : { cvcResult: behaviour.cvcResult ?? "M" }),
      ...(message.addressVerification === undefined ? {} : { addressResult: behaviour.addressResult ?? "Y" }),
      funding: known?.funding ?? "C",
      issuerCountry: known?.country ?? "US",
      ...eciOf(message),
    },
  };
}

function codeFor(
  message: PurchaseMessage,
  behaviour: CardBehaviour,
  brand: string,
  nowMs: number,
  refused: boolean,
): string {
  const { pan, expiry, cvc } = message.card;
  if (brand === "unknown" || !passesLuhn(pan)) return "14";
  if (hasExpired(Number(expiry.slice(2)), 2000 + Number(expiry.slice(0, 2)), new Date(nowMs))) return "54";
  if (cvc !== undefined && cvc.length !== (brand === "amex" ? 4 : 3)) return "N7";
  if (!fitsScheme(message, brand) || !fitsStoredCredential(message.storedCredential)) return "12";
  if (refused) return "14";
  if (behaviour.code !== undefined) return behaviour.code;
  if (behaviour.authentication === undefined) return "00";
  if (!isAuthenticated(message, behaviour)) return brand === "mastercard" ? "65" : "1A";
  return behaviour.codeAfterwards ?? "00";
}

/** Whether a payment without the payer says which one it follows. */
function fitsStoredCredential(stored: StoredCredential | undefined): boolean {
  return stored?.initiator !== "M" || stored.networkTransactionId !== undefined;
}

/** Indicators are the scheme's own; full authentication comes with its proof. */
function fitsScheme({ threeDSecure }: PurchaseMessage, brand: string): boolean {
  if (threeDSecure === undefined) return true;
  const { ecommerceIndicator: eci, cavv } = threeDSecure;
  const own = MASTERCARD_ECI.includes(eci) === (brand === "mastercard");
  return own && (cavv !== undefined || !FULLY.includes(eci));
}

function isAuthenticated(
  { threeDSecure, storedCredential, exemption }: PurchaseMessage,
  card: CardBehaviour,
): boolean {
  if (threeDSecure !== undefined && [...FULLY, ...ATTEMPTED].includes(threeDSecure.ecommerceIndicator))
    return true;
  // What the merchant initiates is outside of strong authentication; the payment that stored the card was inside.
  if (storedCredential?.initiator === "M") return true;
  return exemption !== undefined && card.authentication === "unless_exempt";
}

function eciOf({ threeDSecure, ecommerceIndicator }: PurchaseMessage): AnswerFields {
  const eci = threeDSecure?.ecommerceIndicator ?? ecommerceIndicator;
  return eci === undefined ? {} : { ecommerceIndicator: eci };
}

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS = "0123456789";

function drawn(alphabet: string, length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join("");
}

export const newApprovalCode = (): string => drawn(DIGITS + LETTERS, 6);

/** Field 37. */
export const newRetrievalReference = (): string => drawn(DIGITS + LETTERS, 12);

/** Visa's transaction identifier has 15 digits; Mastercard's Banknet reference nine signs, and the date. */
export function newNetworkTransactionId(brand: string, nowMs: number): string {
  if (brand === "visa") return `4${drawn(DIGITS, 14)}`;
  if (brand !== "mastercard") return drawn(DIGITS + LETTERS, 15);
  const date = new Date(nowMs).toISOString();
  return `MCC${drawn(DIGITS + LETTERS, 6)}${date.slice(5, 7)}${date.slice(8, 10)}`;
}
