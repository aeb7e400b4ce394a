import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";

/** Signs checkpoints. `kid` names the key, so that a later one can take its place. */
export type SigningKey = { readonly kid: string; readonly key: KeyObject };
/** Public keys that verify checkpoints, by their `kid`. */
export type VerifyingKeys = ReadonlyMap<string, KeyObject>;

/** A setting of the audit is missing or not what it should be. The message names it and never its value. */
export class InvalidAuditSetting extends Error {}

/** The key of the batches' MACs, from 64 hexadecimal digits. @throws {InvalidAuditSetting} */
export function auditKey(text: string | undefined): KeyObject {
  if (text === undefined || !/^[0-9a-f]{64}$/i.test(text)) {
    throw new InvalidAuditSetting("AUDIT_KEY is not 64 hexadecimal digits");
  }
  return createSecretKey(Buffer.from(text, "hex"));
}

/** From a private Ed25519 JWK (RFC 8037) with a `kid`, as JSON. @throws {InvalidAuditSetting} */
export function signingKey(json: string | undefined): SigningKey {
  const jwk = parsed("AUDIT_SIGNING_KEY", json);
  const kid = kidOf("AUDIT_SIGNING_KEY", jwk);
  return {
    kid,
    key: imported("AUDIT_SIGNING_KEY", () => createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" })),
  };
}

/** From a JSON list of public Ed25519 JWKs, each with a `kid`. @throws {InvalidAuditSetting} */
export function verifyingKeys(json: string | undefined): VerifyingKeys {
  const name = "AUDIT_CHECKPOINT_KEYS";
  const list = parsed(name, json);
  if (!Array.isArray(list) || list.length === 0)
    throw new InvalidAuditSetting(`${name} is not a list of keys`);
  return new Map(
    list.map((jwk: unknown) => [
      kidOf(name, jwk),
      imported(name, () => createPublicKey({ key: jwk as JsonWebKey, format: "jwk" })),
    ]),
  );
}

/** The public half of a signing key, under its `kid`. */
export const publicHalf = ({ kid, key }: SigningKey): VerifyingKeys => new Map([[kid, createPublicKey(key)]]);

function parsed(name: string, json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? "") as unknown;
  } catch {
    throw new InvalidAuditSetting(`${name} is not JSON`);
  }
}

function kidOf(name: string, jwk: unknown): string {
  const kid = (jwk as { kid?: unknown } | null)?.kid;
  if (typeof kid !== "string" || kid === "") throw new InvalidAuditSetting(`${name} has a key without a kid`);
  return kid;
}

function imported(name: string, make: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = make();
  } catch {
    throw new InvalidAuditSetting(`${name} has a key that cannot be read`);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new InvalidAuditSetting(`${name} has a key that is not Ed25519`);
  return key;
}
