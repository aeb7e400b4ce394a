import { importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { MerchantId } from "./ids.ts";
import { err, ok, type Result } from "./result.ts";

/**
 * Who is asking, signed by whoever checked it, for one request. The edge signs for the region (gateway and
 * subgraphs verify); a region signs for the vault. Ed25519 (RFC 8037), so a verifier cannot forge; JWT
 * (RFC 7519) that lives for seconds.
 */
export type KeyScope = "secret" | "publishable";

/** What the edge learnt of a request. `ip` and `country` are those of the caller of the edge. */
export type Identity = {
  readonly merchant: MerchantId;
  readonly scope: KeyScope;
  readonly requestId: string;
  readonly ip: string | null;
  /** ISO 3166-1 alpha-2, as the edge located the address; null where it cannot tell. */
  readonly country: string | null;
};

/** The header that carries the edge's word to gateway and subgraphs. */
export const IDENTITY_HEADER = "tessera-identity";
/** The header that carries the region's word to the vault. `authorization` there belongs to the provider. */
export const VAULT_AUTH_HEADER = "tessera-vault-auth";
export const REQUEST_ID_HEADER = "tessera-request-id";

export type Audience = "region" | "region-keys" | "vault";

const LIFETIME_SECONDS: Record<Audience, number> = { region: 30, "region-keys": 30, vault: 60 };
const ALGORITHM = "EdDSA";

export type SigningKey = { readonly key: CryptoKey; readonly kid: string };
export type VerifyingKeys = ReadonlyMap<string, CryptoKey>;

/** Imports a private Ed25519 JWK (`kid` required). */
export async function signingKey(jwk: JWK): Promise<SigningKey> {
  if (jwk.kid === undefined || jwk.d === undefined)
    throw new Error("a signing key is a private JWK with a kid");
  return { key: (await importJWK(jwk, ALGORITHM)) as CryptoKey, kid: jwk.kid };
}

/** Imports public Ed25519 JWKs by `kid`; several, so that a key can be rotated. */
export async function verifyingKeys(jwks: readonly JWK[]): Promise<VerifyingKeys> {
  const keys = new Map<string, CryptoKey>();
  for (const { d: _private, ...jwk } of jwks) {
    if (jwk.kid === undefined) throw new Error("a verifying key is a public JWK with a kid");
    keys.set(jwk.kid, (await importJWK(jwk, ALGORITHM)) as CryptoKey);
  }
  return keys;
}

async function sign(claims: JWTPayload, audience: Audience, signer: SigningKey, at: Date): Promise<string> {
  const seconds = Math.floor(at.getTime() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: signer.kid })
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + LIFETIME_SECONDS[audience])
    .sign(signer.key);
}

async function verify(
  token: string,
  audience: Audience,
  keys: VerifyingKeys,
  at: Date,
): Promise<JWTPayload | null> {
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.get(kid);
        if (key === undefined) throw new Error("unknown key");
        return key;
      },
      {
        audience,
        algorithms: [ALGORITHM],
        currentDate: at,
        clockTolerance: 5,
        requiredClaims: ["exp", "iat"],
        maxTokenAge: LIFETIME_SECONDS[audience],
      },
    );
    return payload;
  } catch {
    return null;
  }
}

/** The edge's word for a merchant's request. */
export function signIdentity(identity: Identity, signer: SigningKey, at: Date): Promise<string> {
  const { merchant, scope, requestId, ip, country } = identity;
  return sign({ sub: merchant, scope, rid: requestId, ip, country }, "region", signer, at);
}

export type NotAuthentic = { readonly code: "NOT_AUTHENTIC" };

export async function verifyIdentity(
  token: string | undefined,
  keys: VerifyingKeys,
  at: Date,
): Promise<Result<Identity, NotAuthentic>> {
  const claims = token === undefined ? null : await verify(token, "region", keys, at);
  if (claims === null) return err({ code: "NOT_AUTHENTIC" });
  const { sub, scope, rid, ip, country } = claims as JWTPayload & Record<string, unknown>;
  if (typeof sub !== "string" || typeof rid !== "string") return err({ code: "NOT_AUTHENTIC" });
  if (scope !== "secret" && scope !== "publishable") return err({ code: "NOT_AUTHENTIC" });
  return ok({
    merchant: sub as MerchantId,
    scope,
    requestId: rid,
    ip: typeof ip === "string" ? ip : null,
    country: typeof country === "string" ? country : null,
  });
}

/** The edge asks a region whose an API key is: nothing but the edge's signature is needed for that. */
export function signKeyLookup(signer: SigningKey, at: Date): Promise<string> {
  return sign({}, "region-keys", signer, at);
}

export async function verifyKeyLookup(
  token: string | undefined,
  keys: VerifyingKeys,
  at: Date,
): Promise<boolean> {
  return token !== undefined && (await verify(token, "region-keys", keys, at)) !== null;
}

/** A region asks the vault to act on a merchant's tokens. */
export function signVaultRequest(merchant: MerchantId, signer: SigningKey, at: Date): Promise<string> {
  return sign({ sub: merchant }, "vault", signer, at);
}

/** The merchant whose tokens the caller may use, or null if the word is not authentic. */
export async function verifyVaultRequest(
  token: string | undefined,
  keys: VerifyingKeys,
  at: Date,
): Promise<MerchantId | null> {
  const claims = token === undefined ? null : await verify(token, "vault", keys, at);
  return typeof claims?.sub === "string" ? (claims.sub as MerchantId) : null;
}
