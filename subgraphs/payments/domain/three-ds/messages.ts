import { z } from "zod";
import { err, ok, type Result } from "../../../kernel/result.ts";

/**
 * The messages of EMV 3-D Secure 2.2 and 2.3 (Protocol and Core Functions Specification, chapter 6 and table
 * A.1) that a 3DS server reads. What decides is read by closed tables; what is not listed here is let pass
 * and forgotten.
 */

/** Any UUID's form: what is compared is compared in lower case. */
export const TRANSACTION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const transaction = z
  .string()
  .regex(TRANSACTION)
  .transform((id) => id.toLowerCase());
const version = z.string().regex(/^2\.[1-9]\.\d$/);

/** Absent, null and empty are the same: some issuers send empty fields, which the specification forbids. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .nullish()
    .transform((value) => (value === "" ? null : (value ?? null)));

/**
 * What the issuer says, in ARes and RReq alike. An ECI or a proof of any form is read, and judged in
 * `evidence.ts`.
 */
const word = {
  transStatusReason: text(2),
  eci: text(16),
  authenticationValue: text(64),
};

const aresSchema = z.object({
  messageType: z.literal("ARes"),
  messageVersion: version,
  threeDSServerTransID: transaction,
  acsTransID: transaction,
  dsTransID: transaction,
  transStatus: z.enum(["Y", "N", "U", "A", "C", "D", "R", "I"]),
  ...word,
  acsURL: text(2_048),
  acsDecConInd: z.enum(["Y", "N"]).nullish(),
  acsChallengeMandated: z.enum(["Y", "N"]).nullish(),
  cardholderInfo: text(128),
});

/** A challenge or a decoupled authentication can end in these only. */
const rreqSchema = z.object({
  messageType: z.literal("RReq"),
  messageVersion: version,
  threeDSServerTransID: transaction,
  acsTransID: transaction,
  dsTransID: transaction,
  transStatus: z.enum(["Y", "N", "U", "A", "R"]),
  ...word,
  challengeCancel: text(2),
  interactionCounter: text(2),
});

const cresSchema = z.object({
  messageType: z.literal("CRes"),
  messageVersion: version,
  threeDSServerTransID: transaction,
  acsTransID: transaction,
  transStatus: z.enum(["Y", "N"]),
});

const erroSchema = z.object({
  messageType: z.literal("Erro"),
  errorCode: z.string().regex(/^\d{3}$/),
  errorComponent: z.enum(["C", "S", "D", "A"]),
  errorDescription: text(2_048),
  errorDetail: text(2_048),
  threeDSServerTransID: transaction.nullish(),
});

export type ARes = z.infer<typeof aresSchema>;
export type RReq = z.infer<typeof rreqSchema>;
export type CRes = z.infer<typeof cresSchema>;
export type Erro = z.infer<typeof erroSchema>;

/** Nothing that a directory or an ACS sends is longer, in characters. */
const LONGEST = 100_000;

/**
 * Reads what answers an AReq: an ARes or an Erro. The error says what is wrong, without the message's values.
 */
export const readAnswer = (body: string): Result<ARes | Erro, string> =>
  read(body, z.union([aresSchema, erroSchema]));

export const readRReq = (body: string): Result<RReq, string> => read(body, rreqSchema);

/**
 * Reads the `cres` field that the payer's browser brings back, base64url. It went through the browser, so it
 * says that the payer is back and nothing more: the outcome comes by an RReq.
 */
export function readCRes(field: string): Result<CRes | Erro, string> {
  if (field.length > LONGEST || !/^[A-Za-z0-9_-]+={0,2}$/.test(field)) return err("not base64url");
  return read(Buffer.from(field, "base64url").toString("utf8"), z.union([cresSchema, erroSchema]));
}

function read<T>(body: string, schema: z.ZodType<T>): Result<T, string> {
  if (body.length > LONGEST) return err("too long");
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return err("not JSON");
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return ok(parsed.data);
  return err(`not as the specification says: ${fieldsOf(parsed.error.issues)}`);
}

/** The names of the fields that are wrong; of a union the alternative that came closest. */
function fieldsOf(issues: readonly z.core.$ZodIssue[]): string {
  const names = issues.flatMap((issue) => {
    if (issue.code !== "invalid_union") return [issue.path.join(".")];
    const [closest] = [...issue.errors].sort((one, other) => one.length - other.length);
    return (closest ?? []).map(({ path }) => path.join("."));
  });
  return [...new Set(names)].join(", ") || "the message";
}
