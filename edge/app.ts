import type { Fetcher } from "@cloudflare/workers-types";
import type { Context, MiddlewareHandler } from "hono";
import type { KeyScope } from "../subgraphs/kernel/identity.ts";
import type { MerchantId } from "../subgraphs/kernel/ids.ts";
import type { WithRequestId } from "./http/request-id.ts";
import type { ApiSettings } from "./settings/api-settings.ts";

/** The api worker's bindings, as the root wrangler.toml declares them. */
export type ApiEnv = {
  readonly ENVIRONMENT: string;
  readonly REGION_URL: string;
  readonly REGION_TIMEOUT_MS: string;
  readonly VAULT_URL: string;
  readonly KEY_CACHE_MS: string;
  readonly INBOUND_PROVIDERS: string;
  readonly EDGE_SIGNING_KEY: string;
  readonly ASSETS: Fetcher;
};

/** Whose key a request came with. */
export type KeyOwner = { readonly merchant: MerchantId; readonly scope: KeyScope };

/** What the steps of a request hand on to each other. */
export type ApiApp = {
  Bindings: ApiEnv;
  Variables: WithRequestId["Variables"] & {
    settings: ApiSettings;
    /** The well-formed API key that the client sent; set by `readKey`. */
    key: { readonly text: string; readonly scope: KeyScope };
    /** Set by `findOwner`. */
    owner: KeyOwner;
    /** Set by `limitBody`. */
    body: Uint8Array<ArrayBuffer>;
  };
};

export type ApiContext = Context<ApiApp>;
export type ApiStep = MiddlewareHandler<ApiApp>;
