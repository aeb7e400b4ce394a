import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { signingKey, signVaultRequest, VAULT_AUTH_HEADER } from "../../subgraphs/kernel/identity.ts";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { buildEdge } from "../build.ts";
import { type DevSecrets, newDevSecrets } from "../dev-secrets.ts";
import type { CardDetails, EncryptionKey } from "../vault/card-message.ts";
import { encryptCard } from "../vault/encrypt-card.ts";
import { shardOf, type Token } from "../vault/tokens/token.ts";
import { ProviderDouble } from "./provider-double.ts";
import { RegionDouble } from "./region-double.ts";
import { sandboxAllowList } from "./vault-client.ts";

/** Both workers in a real workerd, with a double of the region and of a provider behind them. */
export type TestEdge = Awaited<ReturnType<typeof startTestEdge>>;

export const VAULT_ORIGIN = "http://vault.test";
const config = (path: string) => fileURLToPath(new URL(path, import.meta.url));

type Vars = Readonly<Record<string, string>>;

export async function startTestEdge(vars: { api?: Vars; vault?: Vars } = {}) {
  // wrangler does not offer to keep quiet about itself in another way.
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  process.env["WRANGLER_LOG"] = "error";
  const secrets: DevSecrets = newDevSecrets();
  const region = new RegionDouble(secrets.region.EDGE_VERIFYING_KEYS);
  const provider = new ProviderDouble();
  await Promise.all([region.listen(), provider.listen(), buildEdge()]);

  const harness = createTestHarness({
    workers: [
      {
        configPath: config("../../wrangler.toml"),
        vars: { ENVIRONMENT: "development", REGION_URL: region.url, VAULT_URL: VAULT_ORIGIN, ...vars.api },
        secrets: { ...secrets.api },
      },
      {
        configPath: config("../vault/wrangler.toml"),
        vars: { ENVIRONMENT: "development", EGRESS_ALLOW: sandboxAllowList(provider.url), ...vars.vault },
        secrets: { ...secrets.vault },
      },
    ],
  });
  const { url } = await harness.listen();
  const api = harness.getWorker("tessera-api");
  const vault = harness.getWorker("tessera-vault");
  const signer = await signingKey(JSON.parse(secrets.region.VAULT_SIGNING_KEY));

  return {
    url,
    api,
    vault,
    region,
    provider,
    secrets,
    harness,
    async graphql(key: string | null, body: string, headers: Record<string, string> = {}) {
      const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
      const all = { "content-type": "application/json", ...authorization, ...headers };
      return api.fetch("/graphql", { method: "POST", headers: all, body });
    },
    /** A region's header for the vault. */
    async vaultAuth(merchant: MerchantId): Promise<Record<string, string>> {
      return { [VAULT_AUTH_HEADER]: await signVaultRequest(merchant, signer, new Date()) };
    },
    async encrypted(card: CardDetails, publishableKey: string) {
      const key = (await (await vault.fetch(`${VAULT_ORIGIN}/v1/encryption-key`)).json()) as EncryptionKey;
      return encryptCard(card, { publishableKey, ...key });
    },
    async postToVault(path: string, body: unknown, headers: Record<string, string> = {}) {
      return vault.fetch(`${VAULT_ORIGIN}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    },
    /** A shard's database, for what a thief or a bug could do to it. */
    async database(token: string) {
      const name = `shard-${shardOf(token as Token)}`;
      return vault.getDurableObjectStorage("VaultShard", { name });
    },
    async rowsOf(token: string) {
      const database = await this.database(token);
      const [row] = await database.exec<Record<string, string | number | null>>(
        `SELECT id, merchant, fingerprint, deleted_at, length(sealed) + length(wrapped_dek) AS bytes
         FROM token WHERE id = ?`,
        token,
      );
      const [cvc] = await database.exec<Record<string, string | number | null>>(
        "SELECT reference, expires_at FROM cvc WHERE token = ?",
        token,
      );
      return { token: row, sealedBytes: row?.["bytes"], cvc };
    },
    async close() {
      await harness.close();
      await Promise.all([region.close(), provider.close()]);
    },
  };
}
