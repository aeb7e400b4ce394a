import { type Bytes, concat, fromBase64url } from "./bytes.ts";

/**
 * ECDH over P-256 (NIST SP 800-56A). Every public value is checked to be a point of this curve before it meets a
 * private key: an off-curve point would let its sender learn the private key bit by bit (invalid-curve attack).
 */
const P256 = { name: "ECDH", namedCurve: "P-256" } as const;
const POINT_BYTES = 65;
const UNCOMPRESSED = 4;

/** A public P-256 key as the vault publishes it (RFC 7517). */
export type PublicJwk = {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
};
export type PrivateJwk = PublicJwk & { readonly d: string };

/** Imports a raw uncompressed point; null unless it has 65 bytes, is uncompressed and lies on the curve. */
export async function publicKeyFromPoint(point: Bytes): Promise<CryptoKey | null> {
  if (point.length !== POINT_BYTES || point[0] !== UNCOMPRESSED) return null;
  try {
    // The runtimes refuse a point off the curve here; the Wycheproof tests hold them to it.
    return await crypto.subtle.importKey("raw", point, P256, true, []);
  } catch {
    return null;
  }
}

/** Imports a public JWK by way of its point, so that it passes the same check; null if it is not P-256. */
export async function publicKeyFromJwk(jwk: PublicJwk): Promise<CryptoKey | null> {
  if (jwk.kty !== "EC" || jwk.crv !== "P-256") return null;
  const x = fromBase64url(jwk.x);
  const y = fromBase64url(jwk.y);
  if (x?.length !== 32 || y?.length !== 32) return null;
  return publicKeyFromPoint(concat(Uint8Array.of(UNCOMPRESSED), x, y));
}

/** Imports the vault's own private key; throws if it is not a P-256 key. It cannot be read out again. */
export async function privateKeyFromJwk({ kty, crv, x, y, d }: PrivateJwk): Promise<CryptoKey> {
  return crypto.subtle.importKey("jwk", { kty, crv, x, y, d, ext: false }, P256, false, ["deriveBits"]);
}

export async function newKeyPair(): Promise<{ privateKey: CryptoKey; publicPoint: Bytes }> {
  const pair = (await crypto.subtle.generateKey(P256, false, ["deriveBits"])) as CryptoKeyPair;
  const point = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
  return { privateKey: pair.privateKey, publicPoint: new Uint8Array(point) };
}

/** The shared secret's 32 bytes: the x coordinate. Never a key by itself: it goes through HKDF. */
export async function sharedSecret(privateKey: CryptoKey, publicKey: CryptoKey): Promise<Bytes> {
  const algorithm = { name: "ECDH", public: publicKey };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, privateKey, 256));
}
