import { SignJWT } from "jose";
import type { SigningKey } from "../../subgraphs/kernel/identity.ts";

/**
 * The edge's word for one message of a provider's: that it came in here, at this path, as these bytes. It names no merchant,
 * and who really sent the message is for the region to find out by the provider's own signature. A region verifies it in
 * subgraphs/payments/inbound/door.ts; it is good for no other bytes, path or purpose.
 */
export type Inbound = {
  /** "/webhooks/adyen/eu-1" */
  readonly path: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly requestId: string;
};

const AUDIENCE = "region-inbound";
const LIFETIME_SECONDS = 30;

/** A JWT (RFC 7519) signed with Ed25519, with the body's SHA-256 in base64url, for IDENTITY_HEADER. */
export async function signInbound(
  { path, body, requestId }: Inbound,
  signer: SigningKey,
  at: Date,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const seconds = Math.floor(at.getTime() / 1000);
  return new SignJWT({ rid: requestId, path, sha256: base64url(digest) })
    .setProtectedHeader({ alg: "EdDSA", kid: signer.kid })
    .setAudience(AUDIENCE)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + LIFETIME_SECONDS)
    .sign(signer.key);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
