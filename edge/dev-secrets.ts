import { generateKeyPairSync, type JsonWebKey, randomBytes } from "node:crypto";

/**
 * A full set of secrets for development, each ready to be an environment variable. Every key's id begins with
 * "dev-": the workers refuse such keys when ENVIRONMENT is "production". Keep the object (`JSON.stringify`) as
 * long as the vault's storage: new key-encryption keys cannot open what older ones sealed.
 */
export type DevSecrets = {
  /** For the api worker. */
  readonly api: { readonly EDGE_SIGNING_KEY: string };
  /** For the vault worker. */
  readonly vault: {
    readonly VAULT_KEKS: string;
    readonly VAULT_CVC_KEYS: string;
    readonly VAULT_ENCRYPTION_KEYS: string;
    readonly VAULT_FINGERPRINT_KEY: string;
    readonly REGION_VERIFYING_KEYS: string;
  };
  /** For a region: public JWKs (a JSON list) that verify the edge, and the private JWK that signs for the vault. */
  readonly region: { readonly EDGE_VERIFYING_KEYS: string; readonly VAULT_SIGNING_KEY: string };
};

type NamedJwk = JsonWebKey & { kid: string };

/** An Ed25519 key pair (RFC 8037) as JWKs: one side signs, the other verifies and cannot forge. */
function signingPair(kid: string): { signing: NamedJwk; verifying: NamedJwk } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const named = (jwk: JsonWebKey) => ({ ...jwk, kid, alg: "EdDSA", use: "sig" });
  return {
    signing: named(privateKey.export({ format: "jwk" })),
    verifying: named(publicKey.export({ format: "jwk" })),
  };
}

function keyring(id: string): string {
  return JSON.stringify({ current: id, keys: { [id]: randomBytes(32).toString("base64url") } });
}

function encryptionKeys(id: string): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return JSON.stringify({ current: id, keys: { [id]: privateKey.export({ format: "jwk" }) } });
}

export function newDevSecrets(): DevSecrets {
  const edge = signingPair("dev-edge-1");
  const region = signingPair("dev-region-1");
  return {
    api: { EDGE_SIGNING_KEY: JSON.stringify(edge.signing) },
    vault: {
      VAULT_KEKS: keyring("dev-kek-1"),
      VAULT_CVC_KEYS: keyring("dev-cvc-1"),
      VAULT_ENCRYPTION_KEYS: encryptionKeys("dev-card-1"),
      VAULT_FINGERPRINT_KEY: randomBytes(32).toString("base64url"),
      REGION_VERIFYING_KEYS: JSON.stringify([region.verifying]),
    },
    region: {
      EDGE_VERIFYING_KEYS: JSON.stringify([edge.verifying]),
      VAULT_SIGNING_KEY: JSON.stringify(region.signing),
    },
  };
}
