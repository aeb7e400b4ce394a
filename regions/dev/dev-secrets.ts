import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevSecrets, newDevSecrets } from "../../edge/dev-secrets.ts";

/** Everything secret of a platform on this machine, made at its first start and kept with its data. */
export type PlatformSecrets = DevSecrets & {
  readonly providerKey: string;
  readonly referenceSecret: string;
  readonly checkoutSecret: string;
  /** For the ledger's audit: the key of its chains, and the private JWK (Ed25519) that signs checkpoints. */
  readonly audit: { readonly AUDIT_KEY: string; readonly AUDIT_SIGNING_KEY: string };
};

const secret = () => randomBytes(32).toString("base64url");

/** Reads `secrets.json` of the platform's folder, or makes it, readable by its owner only. */
export function platformSecrets(home: string): PlatformSecrets {
  const file = join(home, "secrets.json");
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<PlatformSecrets>) : null;
  // A platform that was made before a secret was needed gets it now.
  if (kept?.audit !== undefined) return kept as PlatformSecrets;
  const secrets: PlatformSecrets = {
    ...newDevSecrets(),
    providerKey: `sk_test_${randomBytes(16).toString("hex")}`,
    referenceSecret: secret(),
    checkoutSecret: secret(),
    audit: auditSecrets(),
    ...kept,
  };
  writeWhole(file, secrets);
  return secrets;
}

function auditSecrets(): PlatformSecrets["audit"] {
  const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return {
    AUDIT_KEY: randomBytes(32).toString("hex"),
    AUDIT_SIGNING_KEY: JSON.stringify({ ...jwk, kid: "dev-audit-1", alg: "EdDSA", use: "sig" }),
  };
}

/** Writes JSON for its owner's eyes, whole or not at all. */
export function writeWhole(file: string, content: object): void {
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
}
