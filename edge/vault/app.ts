import type { DurableObjectNamespace, Fetcher } from "@cloudflare/workers-types";
import type { Context, MiddlewareHandler } from "hono";
import type { WithRequestId } from "../http/request-id.ts";
import type { VaultShard } from "./storage/vault-shard.ts";
import type { VaultSettings, VaultVariables } from "./vault-settings.ts";

/** The api worker's `ApiKeys`: whose key it is, so that the vault shares no secret with a region. */
export type ApiKeysService = {
  resolve(key: string): Promise<{ merchant: string; scope: "secret" | "publishable" } | null>;
};

/** The vault worker's bindings, as wrangler.toml beside this file declares them. */
export type VaultEnv = VaultVariables & {
  readonly API_KEYS: ApiKeysService;
  readonly ASSETS: Fetcher;
  readonly VAULT_SHARDS: DurableObjectNamespace<VaultShard>;
};

/** What the vault's routes share: bindings, and what earlier steps of a request found out. */
export type VaultApp = {
  Bindings: VaultEnv;
  Variables: WithRequestId["Variables"] & {
    settings: VaultSettings;
    /** The merchant on whose tokens the calling region may act; set by `regionOnly`. */
    merchant: string;
  };
};

export type VaultContext = Context<VaultApp>;
export type VaultStep = MiddlewareHandler<VaultApp>;
