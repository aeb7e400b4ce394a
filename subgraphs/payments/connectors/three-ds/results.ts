import { createHmac, timingSafeEqual } from "node:crypto";
import { err, type Result } from "../../../kernel/result.ts";
import { type RReq, readRReq } from "../../domain/three-ds/messages.ts";
import type { SessionRefusal } from "../../domain/three-ds/session.ts";

/**
 * RReqs: how challenges and decoupled authentications end. A directory proves itself by a client certificate;
 * the edge, where TLS ends, passes on that it was there. What stands for it here is an HMAC-SHA256 of the
 * body, in hexadecimal after "sha256=".
 */
export const SIGNATURE_HEADER = "x-ds-signature";

/** Why an RReq is not taken; `because` is for a log. */
export type ResultsProblem = {
  readonly kind: "not_signed" | "not_readable";
  readonly because: string;
};

/**
 * The RReq in a body that a directory has signed with one of `secrets`; without secrets nothing is believed.
 * `headers` have lower-case names.
 */
export function readResults(
  headers: Readonly<Record<string, string | undefined>>,
  body: Uint8Array,
  secrets: readonly string[],
  header: string = SIGNATURE_HEADER,
): Result<RReq, ResultsProblem> {
  const [, signature] = /^sha256=([0-9a-f]{64})$/.exec(headers[header] ?? "") ?? [];
  if (signature === undefined) return notSigned("no signature");
  const given = Buffer.from(signature, "hex");
  const signs = (secret: string): boolean =>
    secret !== "" && timingSafeEqual(createHmac("sha256", secret).update(body).digest(), given);
  // All are tried, so that the time taken does not tell which one it was.
  if (secrets.filter(signs).length === 0) return notSigned("a signature of nobody we know");
  const read = readRReq(new TextDecoder().decode(body));
  return read.ok ? read : err({ kind: "not_readable", because: read.error });
}

const notSigned = (because: string) => err({ kind: "not_signed", because } as const);

/** What became of an RReq: taken (again), or why not; `unknown_transaction` where there is no such session. */
export type Reception = "taken" | SessionRefusal | "unknown_transaction";

export type ResultsResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * The RRes, or an Erro. What came too late is confirmed as well: it was received, and sending it again would
 * change nothing. Answer only after what it says is kept, since the directory forgets it then.
 */
export function resultsResponse(results: RReq, reception: Reception): ResultsResponse {
  const ids = {
    messageVersion: results.messageVersion,
    threeDSServerTransID: results.threeDSServerTransID,
    acsTransID: results.acsTransID,
    dsTransID: results.dsTransID,
  };
  if (reception === "taken" || reception === "late") {
    return json(200, { messageType: "RRes", ...ids, resultsStatus: "01" });
  }
  const [errorCode, errorDescription] =
    reception === "unexpected" || reception === "too_early"
      ? ["305", "No challenge is under way in this transaction."]
      : ["301", "The transaction is not known."];
  return json(200, { ...ERRO, ...ids, errorCode, errorDescription, errorDetail: "threeDSServerTransID" });
}

/**
 * For what `readResults` refused: 401 for a stranger, and an Erro for a directory's message that cannot be
 * read.
 */
export function refusedResults({ kind, because }: ResultsProblem): ResultsResponse {
  if (kind === "not_signed") return { status: 401, headers: {}, body: "" };
  const errorDescription = "The message is not as the specification says.";
  return json(200, {
    ...ERRO,
    messageVersion: "2.2.0",
    errorCode: "203",
    errorDescription,
    errorDetail: because,
  });
}

/** Errors that the 3DS server found, in an RReq. */
const ERRO = { messageType: "Erro", errorComponent: "S", errorMessageType: "RReq" } as const;

const json = (status: number, body: object): ResultsResponse => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify(body),
});
