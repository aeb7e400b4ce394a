import { WorkerEntrypoint } from "cloudflare:workers";
import type { ApiEnv, KeyOwner } from "../app.ts";
import { apiSettings } from "../settings/api-settings.ts";
import { ownerOf } from "./authenticate.ts";

/**
 * The api worker's door for the vault, reached by a service binding only: no address leads to it. So the vault
 * learns whose publishable key it was given, and holds no secret that a region would trust.
 */
export class ApiKeys extends WorkerEntrypoint<ApiEnv> {
  /** The key's merchant and scope, or null if it is not an active key. Throws if the region does not answer. */
  async resolve(key: string): Promise<KeyOwner | null> {
    return ownerOf(key, await apiSettings(this.env), (work) => this.ctx.waitUntil(work));
  }
}
