import { IDENTITY_HEADER, signKeyLookup } from "../../subgraphs/kernel/identity.ts";
import { type Home, parseId } from "../../subgraphs/kernel/ids.ts";
import type { KeyOwner } from "../app.ts";
import { readLimited } from "../limits/body.ts";
import type { ApiSettings } from "../settings/api-settings.ts";
import { KeyLookupFailed, LOOKUP_TIMEOUT_MS, type Lookup } from "./key-directory.ts";

const MAX_ANSWER_BYTES = 1024;

/**
 * `GET {region}/internal/api-keys/{sha256}?shard={0..255}`: the region keeps the hashes of its merchants' keys, in
 * the shard that the key itself names. Asked with the edge's signature; 404 means that there is no such active
 * key. Anything else that is not an owner is a failure.
 */
export function askRegion({ regionUrl, signer }: ApiSettings, { shard }: Home): Lookup {
  return async (keyHash) => {
    try {
      const answer = await fetch(`${regionUrl}/internal/api-keys/${keyHash}?shard=${shard}`, {
        headers: { [IDENTITY_HEADER]: await signKeyLookup(signer, new Date()) },
        redirect: "manual",
        signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS),
      });
      const body = await readLimited(answer.body, MAX_ANSWER_BYTES);
      if (answer.status === 404) return null;
      if (answer.status !== 200 || !body.ok) throw new KeyLookupFailed(`status ${answer.status}`);
      return parseOwner(JSON.parse(new TextDecoder().decode(body.value)));
    } catch (error) {
      throw error instanceof KeyLookupFailed ? error : new KeyLookupFailed("unreachable", { cause: error });
    }
  };
}

function parseOwner(json: unknown): KeyOwner {
  const { merchant, scope } = json as { merchant?: unknown; scope?: unknown };
  const id = typeof merchant === "string" ? parseId("mer", merchant) : null;
  if (id === null || !id.ok || (scope !== "secret" && scope !== "publishable"))
    throw new KeyLookupFailed("malformed answer");
  return { merchant: id.value, scope };
}
