import { type AnswerDetails, type CheckResult, NO_DETAILS } from "../../domain/operation.ts";
import { entryOf } from "./tables.ts";

/**
 * What Adyen tells besides the outcome, in `additionalData` (schemas ResponseAdditionalData* of the Checkout API v72): as
 * much of it as the merchant has switched on there. Digits of the card are among it, and are not read.
 */
export type AdditionalData = Readonly<Record<string, string>>;

/** By the number that avsResult begins with: address, postal code (docs.adyen.com/risk-management/avs-checks). */
const AVS: Readonly<Record<string, readonly [address: CheckResult, postalCode: CheckResult]>> = {
  "0": ["unavailable", "unavailable"],
  "1": ["match", "no_match"],
  "2": ["no_match", "no_match"],
  "3": ["unavailable", "unavailable"],
  "4": ["unavailable", "unavailable"],
  "5": ["unchecked", "unchecked"],
  "6": ["no_match", "match"],
  "7": ["match", "match"],
  "8": ["unchecked", "unavailable"],
  "9": ["match", "unavailable"],
  "10": ["no_match", "unavailable"],
  "11": ["unavailable", "unchecked"],
  "12": ["match", "unchecked"],
  "13": ["no_match", "unchecked"],
  "14": ["unavailable", "match"],
  "15": ["unchecked", "match"],
  "16": ["unavailable", "no_match"],
  "17": ["unchecked", "no_match"],
  "18": ["unchecked", "unchecked"],
  "19": ["unavailable", "match"],
  "20": ["match", "match"],
  "21": ["match", "unavailable"],
  "22": ["unavailable", "unavailable"],
  "23": ["unavailable", "match"],
  "24": ["match", "match"],
  "25": ["match", "unavailable"],
  "26": ["no_match", "no_match"],
};

/** By the number that cvcResult begins with. */
const CVC: Readonly<Record<string, CheckResult>> = {
  "0": "unavailable",
  "1": "match",
  "2": "no_match",
  "3": "unchecked",
  "4": "unchecked",
  "5": "unavailable",
  "6": "unchecked",
};

/** Charge cards and deferred debit are credit in the sense of Regulation (EU) 2015/751, article 2(34). */
const FUNDING: Readonly<Record<string, "credit" | "debit" | "prepaid">> = {
  CREDIT: "credit",
  CHARGE: "credit",
  DEFFERED_DEBIT: "credit",
  DEFERRED_DEBIT: "credit",
  DEBIT: "debit",
  PREPAID: "prepaid",
  PREPAID_RELOADABLE: "prepaid",
  PREPAID_NONRELOADABLE: "prepaid",
};

const numberOf = (text: string | undefined): string => /^\d+/.exec(text ?? "")?.[0] ?? "";
const matching = (text: string | undefined, pattern: RegExp): string | null =>
  text !== undefined && pattern.test(text) ? text : null;

/** `rawCode` is the result with its refusal reason's code, such as "Refused:2". */
export function detailsOf(additional: AdditionalData, rawCode: string): AnswerDetails {
  const avs = entryOf(AVS, numberOf(additional["avsResult"]));
  const funding = additional["fundingSource"];
  const shift = additional["liabilityShift"];
  return {
    ...NO_DETAILS,
    rawCode,
    authorizationCode: matching(additional["authCode"], /^[0-9A-Za-z]{1,6}$/),
    networkTransactionId: matching(additional["networkTxReference"], /^[0-9A-Za-z]{1,64}$/),
    avs: avs === undefined ? null : { address: avs[0], postalCode: avs[1] },
    cvc: entryOf(CVC, numberOf(additional["cvcResult"])) ?? null,
    eci: matching(additional["eci"]?.padStart(2, "0"), /^\d\d$/),
    liabilityShift: shift === "true" ? true : shift === "false" ? false : null,
    funding: funding === undefined ? null : (entryOf(FUNDING, funding.toUpperCase()) ?? "unknown"),
    issuerCountry: matching(additional["cardIssuingCountry"] ?? additional["issuerCountry"], /^[A-Z]{2}$/),
  };
}
