/**
 * The messages that the directory and the ACS send, as the specification writes them (EMV 3-D Secure 2.2,
 * tables B.2 to B.9).
 */

import type { AuthenticationRecord, Result } from "./records.ts";

const REFERENCE_NUMBERS = { acs: "3DS_LOA_ACS_SANDBOX_020200_00001", ds: "3DS_LOA_DIS_SANDBOX_020200_00001" };

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  101: "The message is invalid.",
  102: "The version of the message is not supported.",
  201: "Required fields are missing.",
  203: "Fields are not in their form.",
  301: "The transaction is not known.",
  304: "An ISO code is not valid.",
  305: "The transaction cannot be taken.",
  402: "The ACS did not answer in time.",
  403: "The system fails for a moment.",
  404: "The system fails.",
  405: "The ACS cannot be reached.",
};

export type Erro = Readonly<Record<string, string>> & { readonly errorDetail: string };

/** `about` is the message that could not be taken; what it says of itself is repeated. */
export function erro(code: number, detail: string, about: Readonly<Record<string, unknown>>): Erro {
  const repeated = (name: string): Record<string, string> => {
    const value = about[name];
    return typeof value === "string" ? { [name]: value } : {};
  };
  return {
    messageType: "Erro",
    messageVersion: "2.2.0",
    ...repeated("messageVersion"),
    ...repeated("threeDSServerTransID"),
    errorCode: String(code),
    errorComponent: "D",
    errorDescription: DESCRIPTIONS[code] ?? "",
    errorDetail: detail,
    errorMessageType: "AReq",
  };
}

const ids = (record: AuthenticationRecord) => ({
  threeDSServerTransID: record.serverTransaction,
  acsTransID: record.id,
  dsTransID: record.dsTransaction,
});

/** Leaves out what is null, as the specification wants absent fields. */
function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

const outcome = (result: AuthenticationRecord["answer"] | Result) => ({
  transStatus: result.transStatus,
  transStatusReason: result.transStatusReason,
  eci: result.eci,
  authenticationValue: result.cavv,
});

export function aresOf(record: AuthenticationRecord, baseUrl: string): Record<string, unknown> {
  const { answer } = record;
  const asks = answer.transStatus === "C" || answer.transStatus === "D";
  return present({
    messageType: "ARes",
    messageVersion: record.version,
    ...ids(record),
    acsReferenceNumber: REFERENCE_NUMBERS.acs,
    dsReferenceNumber: REFERENCE_NUMBERS.ds,
    acsOperatorID: "sandbox-acs",
    ...outcome(answer),
    acsChallengeMandated: asks ? "Y" : null,
    acsDecConInd: answer.transStatus === "D" ? "Y" : null,
    authenticationType: asks ? "02" : null,
    acsURL: answer.transStatus === "C" ? `${baseUrl}/acs/challenge` : null,
    cardholderInfo: answer.transStatus === "R" ? "Call the number on the back of your card." : null,
    ...record.behaviour.ares,
  });
}

export function rreqOf(record: AuthenticationRecord, result: Result): Record<string, unknown> {
  return present({
    messageType: "RReq",
    messageVersion: record.version,
    messageCategory: "01",
    ...ids(record),
    ...outcome(result),
    authenticationType: record.answer.transStatus === "D" ? "04" : "02",
    authenticationMethod: record.answer.transStatus === "D" ? "10" : "02",
    interactionCounter: String(record.tries).padStart(2, "0"),
    challengeCancel: result.challengeCancel,
    // What contradicts an outcome belongs to one in the payer's favour; a refusal stays what the payer made of it.
    ...(result.transStatus === "Y" ? record.behaviour.rreq : {}),
  });
}

/** Y or N only: the browser is not told more. */
export function cresOf(record: AuthenticationRecord, result: Result): Record<string, unknown> {
  const succeeded = result.transStatus === "Y" || result.transStatus === "A";
  return {
    messageType: "CRes",
    messageVersion: record.version,
    threeDSServerTransID: record.serverTransaction,
    acsTransID: record.id,
    transStatus: succeeded === (record.behaviour.contradicts === undefined) ? "Y" : "N",
  };
}

/** As every message that a browser carries: JSON in base64url. */
export const encode = (message: object): string => Buffer.from(JSON.stringify(message)).toString("base64url");

export function decode(field: string | null): Readonly<Record<string, unknown>> | null {
  if (field === null || !/^[A-Za-z0-9_-]{1,8000}={0,2}$/.test(field)) return null;
  try {
    const json: unknown = JSON.parse(Buffer.from(field, "base64url").toString("utf8"));
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
