import { createPrivateKey, createSecretKey } from "node:crypto";
import type { SigningKey } from "../../subgraphs/ledger/audit/keys.ts";

/** The secrets of a simulated region: always the same, so that the same plan makes the same references. */
export const REFERENCE_SECRET = "r".repeat(32);
export const CHECKOUT_SECRET = "c".repeat(32);
export const AUDIT_KEY = createSecretKey(Buffer.alloc(32, "audit"));

/** PKCS #8 of an Ed25519 key (RFC 8410) is this and the key's 32 bytes. */
const PKCS8_HEAD = "302e020100300506032b657004220420";

/** Signs the audit's checkpoints. */
export const SIGNING_KEY: SigningKey = {
  kid: "simulator",
  key: createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8_HEAD, "hex"), Buffer.alloc(32, "checkpoints")]),
    format: "der",
    type: "pkcs8",
  }),
};
