import type { VaultEnv } from "../app.ts";
import { SHARDS, shardOf, type Token } from "../tokens/token.ts";

/**
 * The Durable Object that keeps a token. 256 of them: each is single-threaded and lives in one place, so this
 * is the unit of the vault's throughput; and a token names its shard, so no look-up is needed.
 */
export function shardFor(env: VaultEnv, token: Token) {
  return shard(env, shardOf(token));
}

/** Groups tokens by shard, so that each shard is asked once. */
export function byShard(env: VaultEnv, tokens: readonly Token[]) {
  const groups = new Map<number, Token[]>();
  for (const token of tokens) {
    const group = groups.get(shardOf(token));
    if (group === undefined) groups.set(shardOf(token), [token]);
    else group.push(token);
  }
  return [...groups].map(([index, group]) => ({ shard: shard(env, index), tokens: group }));
}

function shard(env: VaultEnv, index: number) {
  if (index < 0 || index >= SHARDS) throw new Error("invariant broken: a shard is 0..255");
  return env.VAULT_SHARDS.get(env.VAULT_SHARDS.idFromName(`shard-${index}`));
}
