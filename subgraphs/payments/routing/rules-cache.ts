import type { MerchantId } from "../../kernel/ids.ts";
import type { RoutingRuleSet } from "../domain/routing/rules.ts";

/** A merchant's rules, compiled; `version` 0 and null where there are none. */
export type CompiledRules = { readonly version: number; readonly rules: RoutingRuleSet };

/** Rules for choices that must not wait. */
export interface RulesAtHand {
  /** Sees to it that the merchant's rules are here, as they were within the last seconds. */
  ready(merchant: MerchantId): Promise<void>;
  /** The rules as last read; null: the merchant has none. Undefined: not known, since nobody has read them. */
  of(merchant: string): CompiledRules | null | undefined;
  /** They have changed: the next `ready` reads them. */
  changed(merchant: MerchantId): void;
}

export type RulesCacheOptions = {
  /** The latest version, if it is not `known`; "same" if it is. Null: the merchant has none. */
  readonly load: (merchant: MerchantId, known: number) => Promise<CompiledRules | "same" | null>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Told when rules cannot be read anew and the old ones are used. */
  readonly onStale: (merchant: MerchantId, error: unknown) => void;
  readonly merchants?: number;
  readonly freshMs?: number;
};

type Entry = {
  /** Undefined until they were read. */
  rules: CompiledRules | null | undefined;
  freshUntil: number;
  reading: Promise<void> | null;
  /** How often they were changed here. */
  changes: number;
};

/**
 * Merchants' compiled rules in this process, those of the least recently asked forgotten first. They are read again once
 * they are older than `freshMs` (5 s), so a change counts everywhere by then: a payment in these seconds goes by rules that
 * were right a moment ago, which chooses another provider at worst and can never charge twice. If they cannot be read
 * anew, the old ones stay; rules that were never read are not taken for none.
 */
export function createRulesCache(options: RulesCacheOptions): RulesAtHand {
  const { load, now, onStale, merchants = 10_000, freshMs = 5_000 } = options;
  // A Map keeps its order of insertion: who is asked for goes to its end.
  const entries = new Map<string, Entry>();
  const touch = (merchant: string, entry: Entry): void => {
    entries.delete(merchant);
    entries.set(merchant, entry);
    const [oldest] = entries.keys();
    if (entries.size > merchants && oldest !== undefined) entries.delete(oldest);
  };
  async function read(merchant: MerchantId, entry: Entry): Promise<void> {
    const freshUntil = now() + freshMs;
    const { changes } = entry;
    try {
      const found = await load(merchant, entry.rules?.version ?? 0);
      if (found !== "same") entry.rules = found;
    } catch (error) {
      if (entry.rules === undefined) throw error;
      onStale(merchant, error);
    }
    // If they were changed meanwhile, this may be what they were before.
    if (entry.changes === changes) entry.freshUntil = freshUntil;
  }
  return {
    async ready(merchant) {
      const entry = entries.get(merchant) ?? {
        rules: undefined,
        freshUntil: NEVER,
        reading: null,
        changes: 0,
      };
      touch(merchant, entry);
      // Who comes while they are read waits for the same read; once more, if that had begun before a change.
      for (let round = 0; round < 2 && now() >= entry.freshUntil; round++) {
        entry.reading ??= read(merchant, entry).finally(() => {
          entry.reading = null;
        });
        await entry.reading;
      }
    },
    of: (merchant) => entries.get(merchant)?.rules,
    changed(merchant) {
      const entry = entries.get(merchant);
      if (entry === undefined) return;
      entry.changes++;
      entry.freshUntil = NEVER;
    },
  };
}

const NEVER = Number.NEGATIVE_INFINITY;
