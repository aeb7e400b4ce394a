import type { Sql } from "postgres";
import type { TenantReader } from "../../database/tenant-reader.ts";
import { homeOf, type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import { type RoutingRuleSet, readRoutingRules } from "../domain/routing/rules.ts";
import type { CompiledRules } from "./rules-cache.ts";

/** One version of a merchant's rules, as it was stored. */
export type StoredRules = {
  readonly version: number;
  /** The rule set in its language, as the merchant wrote it. */
  readonly text: string;
  readonly rules: RoutingRuleSet;
  /** Whose request stored it, for people. */
  readonly actor: string;
  readonly createdAt: Date;
};

export type NewRules = {
  readonly merchant: MerchantId;
  /** The latest version that the writer knows; 0: there is none. */
  readonly expectedVersion: number;
  readonly idempotencyKey: string;
  readonly text: string;
  /** The providers that the rules name. */
  readonly providers: readonly string[];
  readonly actor: string;
};

/** `version_conflict`: somebody else was first; `version` is the latest. `key_reused`: by another request than this. */
export type StoreOutcome = {
  readonly outcome: "stored" | "version_conflict" | "key_reused";
  readonly version: number;
};

export interface RulesStore {
  latest(merchant: MerchantId): Promise<StoredRules | null>;
  version(merchant: MerchantId, version: number): Promise<StoredRules | null>;
  /** For the cache: compiled only if it is not `known`. */
  load(merchant: MerchantId, known: number): Promise<CompiledRules | "same" | null>;
  /** Adds a version. The same request again gives the same answer. */
  store(rules: NewRules): Promise<StoreOutcome>;
}

const COLUMNS = "version, rules, providers, actor, created_at";

/**
 * @param reader under row security, as tessera_payments
 * @param writer connections as tessera_routing, which may execute the one function that adds a version
 * @param configured names of this region's providers
 */
export function createRulesStore(
  reader: TenantReader,
  writer: Sql,
  configured: readonly string[],
): RulesStore {
  const own = (merchant: MerchantId) => [homeOf(merchant).shard, uuidOf(merchant)] as const;
  async function latest(merchant: MerchantId, newerThan: number): Promise<StoredRules | null> {
    const [rows] = await reader.read(merchant, {
      text: `select ${COLUMNS} from payments.routing_rules
             where shard = $1 and merchant = $2 and version >= $3 order by version desc limit 1`,
      parameters: [...own(merchant), newerThan],
    });
    return storedFrom(rows?.[0], configured);
  }
  return {
    latest: (merchant) => latest(merchant, 0),
    async version(merchant, version) {
      const [rows] = await reader.read(merchant, {
        text: `select ${COLUMNS} from payments.routing_rules where shard = $1 and merchant = $2 and version = $3`,
        parameters: [...own(merchant), version],
      });
      return storedFrom(rows?.[0], configured);
    },
    async load(merchant, known) {
      // Only what is newer is read: most often that is nothing.
      const found = await latest(merchant, known + 1);
      if (found !== null) return { version: found.version, rules: found.rules };
      return known === 0 ? null : "same";
    },
    async store({ merchant, expectedVersion, idempotencyKey, text, providers, actor }) {
      const [row] = await writer<{ outcome: StoreOutcome["outcome"]; version: number }[]>`
        select outcome, version from payments.set_routing_rules(
          ${homeOf(merchant).shard}::smallint, ${uuidOf(merchant)}::uuid, ${expectedVersion}::integer,
          ${idempotencyKey}::text, ${text}::text, ${JSON.stringify(providers)}::text::jsonb, ${actor}::text)`;
      invariant(row !== undefined, "storing rules has an outcome");
      return row;
    },
  };
}

/** Rules that were stored were right then; a provider that they name may be gone since, and is then never a candidate. */
function storedFrom(
  row: Readonly<Record<string, unknown>> | undefined,
  configured: readonly string[],
): StoredRules | null {
  if (row === undefined) return null;
  const text = row["rules"] as string;
  const rules = readRoutingRules(text, [...configured, ...(row["providers"] as string[])]);
  invariant(rules.ok, "the language of routing rules still reads what it once took");
  return {
    version: row["version"] as number,
    text,
    rules: rules.value,
    actor: row["actor"] as string,
    createdAt: row["created_at"] as Date,
  };
}
