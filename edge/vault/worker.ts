import { Hono } from "hono";
import { nameRequest } from "../http/request-id.ts";
import { secureHeaders } from "../http/security-headers.ts";
import type { VaultApp, VaultContext } from "./app.ts";
import { cardFile, cardPage } from "./card-page.ts";
import { egress, sayWhatHappened } from "./egress/egress.ts";
import { refusal } from "./errors.ts";
import { internalError, readyToServe, regionOnly, sameOriginOrServer } from "./steps.ts";
import { createToken } from "./tokens/create.ts";
import { deleteToken, describeToken } from "./tokens/describe-and-delete.ts";
import { forgetCvc } from "./tokens/forget-cvc.ts";

export { VaultShard } from "./storage/vault-shard.ts";

/**
 * The vault: the one place besides the provider where a card number exists. A worker of its own, with its own
 * secrets, deployed by itself, so that nothing else of the platform is in scope of PCI DSS for card data.
 */
const vault = new Hono<VaultApp>();

vault.use(nameRequest, secureHeaders);

// The frame with the card fields.
vault.get("/card", cardPage);
vault.get("/assets/:file", cardFile);

vault.use("/healthz", readyToServe);
vault.get("/healthz", (c) => c.json({ status: "ok" }));

// For the card page and for merchants' servers.
vault.use("/v1/egress", sayWhatHappened);
vault.use("/v1/*", readyToServe, sameOriginOrServer);
vault.get("/v1/encryption-key", publishEncryptionKey);
vault.post("/v1/tokens", createToken);

// For regions, on behalf of one merchant.
vault.post("/v1/tokens/describe", regionOnly, describeToken);
vault.post("/v1/tokens/delete", regionOnly, deleteToken);
vault.post("/v1/cvc/forget", regionOnly, forgetCvc);
vault.post("/v1/egress", egress);

vault.notFound(() => refusal({ code: "NOT_FOUND" }));
vault.onError(internalError);

/** The key to encrypt cards for. Older keys still open what was encrypted for them just before a rotation. */
function publishEncryptionKey(c: VaultContext): Response {
  const { current, publicKey } = c.get("settings").encryptionKeys;
  return c.json({ keyId: current, publicKey }, 200, { "cache-control": "public, max-age=60" });
}

export default vault;
