import * as v from "valibot";
import { type VerifyingKeys, verifyingKeys } from "../../subgraphs/kernel/identity.ts";
import { jsonText, oncePerIsolate, refuseDevelopmentKeys } from "../settings/settings.ts";
import { fingerprintKey } from "./card/fingerprint.ts";
import { fromBase64url } from "./crypto/bytes.ts";
import { type PrivateJwk, type PublicJwk, privateKeyFromJwk } from "./crypto/ecdh.ts";
import { type AllowList, parseAllowList } from "./egress/allow-list.ts";
import { type Keyring, keyring } from "./seal/keyring.ts";

/** The vault worker's variables and secrets, as wrangler.toml beside this file and README.md list them. */
export type VaultVariables = {
  readonly ENVIRONMENT: string;
  readonly REGION_CODE: string;
  readonly EGRESS_ALLOW: string;
  readonly EGRESS_TIMEOUT_MS: string;
  readonly CVC_LIFETIME_MS: string;
  readonly VAULT_KEKS: string;
  readonly VAULT_CVC_KEYS: string;
  readonly VAULT_ENCRYPTION_KEYS: string;
  readonly VAULT_FINGERPRINT_KEY: string;
  readonly REGION_VERIFYING_KEYS: string;
};

/** The same, read and checked. Keys are not extractable. */
export type VaultSettings = {
  readonly regionCode: string;
  readonly egress: { readonly allow: AllowList; readonly timeoutMs: number };
  readonly cvcLifetimeMs: number;
  readonly keks: Keyring;
  readonly cvcKeys: Keyring;
  readonly encryptionKeys: {
    readonly current: string;
    readonly publicKey: PublicJwk;
    readonly privateKeys: ReadonlyMap<string, CryptoKey>;
  };
  readonly fingerprintKey: CryptoKey;
  readonly regions: VerifyingKeys;
};

/** PCI DSS 3.3 forbids keeping a CVC past authorization; an hour is the longest that one may wait for it. */
const MAX_CVC_LIFETIME_MS = 3_600_000;

const keyId = v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/));
const keyringJson = jsonText(v.object({ current: keyId, keys: v.record(keyId, v.string()) }));
const privateJwk = v.object({
  kty: v.literal("EC"),
  crv: v.literal("P-256"),
  x: v.string(),
  y: v.string(),
  d: v.string(),
});
const milliseconds = v.pipe(v.string(), v.regex(/^\d{1,7}$/), v.transform(Number), v.minValue(1));

const environment = v.object({
  ENVIRONMENT: v.picklist(["production", "development"]),
  REGION_CODE: v.pipe(v.string(), v.regex(/^[0-9a-f]{2}$/)),
  EGRESS_ALLOW: v.string(),
  EGRESS_TIMEOUT_MS: milliseconds,
  CVC_LIFETIME_MS: v.pipe(milliseconds, v.maxValue(MAX_CVC_LIFETIME_MS)),
  VAULT_KEKS: keyringJson,
  VAULT_CVC_KEYS: keyringJson,
  VAULT_ENCRYPTION_KEYS: jsonText(v.object({ current: keyId, keys: v.record(keyId, privateJwk) })),
  VAULT_FINGERPRINT_KEY: v.string(),
  REGION_VERIFYING_KEYS: jsonText(v.array(v.looseObject({ kty: v.literal("OKP"), kid: keyId }))),
});

async function encryptionKeys(source: {
  readonly current: string;
  readonly keys: Readonly<Record<string, PrivateJwk>>;
}): Promise<VaultSettings["encryptionKeys"]> {
  const current = source.keys[source.current];
  if (current === undefined) throw new Error("VAULT_ENCRYPTION_KEYS: the current key is missing");
  const privateKeys = new Map<string, CryptoKey>();
  for (const [id, jwk] of Object.entries(source.keys)) privateKeys.set(id, await privateKeyFromJwk(jwk));
  const { kty, crv, x, y } = current;
  return { current: source.current, publicKey: { kty, crv, x, y }, privateKeys };
}

/** Reads the environment; throws, naming what is wrong and no secret, if the vault could not work safely. */
export async function readSettings(env: VaultVariables): Promise<VaultSettings> {
  const parsed = v.safeParse(environment, env);
  if (!parsed.success) {
    const names = parsed.issues.map((issue) => v.getDotPath(issue)?.split(".")[0]);
    throw new Error(`missing or malformed: ${[...new Set(names)].join(", ")}`);
  }
  const read = parsed.output;
  if (read.ENVIRONMENT === "production") {
    refuseDevelopmentKeys("VAULT_KEKS", Object.keys(read.VAULT_KEKS.keys));
    refuseDevelopmentKeys("VAULT_CVC_KEYS", Object.keys(read.VAULT_CVC_KEYS.keys));
    refuseDevelopmentKeys("VAULT_ENCRYPTION_KEYS", Object.keys(read.VAULT_ENCRYPTION_KEYS.keys));
    refuseDevelopmentKeys(
      "REGION_VERIFYING_KEYS",
      read.REGION_VERIFYING_KEYS.map(({ kid }) => kid),
    );
  }
  const fingerprint = fromBase64url(read.VAULT_FINGERPRINT_KEY);
  if (fingerprint?.length !== 32) throw new Error("VAULT_FINGERPRINT_KEY is not base64url of 32 bytes");
  return {
    regionCode: read.REGION_CODE,
    egress: {
      allow: parseAllowList(read.EGRESS_ALLOW, { loopback: read.ENVIRONMENT === "development" }),
      timeoutMs: read.EGRESS_TIMEOUT_MS,
    },
    cvcLifetimeMs: read.CVC_LIFETIME_MS,
    keks: await keyring(read.VAULT_KEKS, "VAULT_KEKS"),
    cvcKeys: await keyring(read.VAULT_CVC_KEYS, "VAULT_CVC_KEYS"),
    encryptionKeys: await encryptionKeys(read.VAULT_ENCRYPTION_KEYS),
    fingerprintKey: await fingerprintKey(fingerprint),
    regions: await verifyingKeys(read.REGION_VERIFYING_KEYS),
  };
}

export const vaultSettings = oncePerIsolate(readSettings);
