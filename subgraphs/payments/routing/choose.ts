import type { Connector } from "../connectors/connector.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";
import type { Because, Exclusion, RoutingReason, Score } from "../domain/routing/reason.ts";
import {
  type Against,
  nameOf,
  type RoutingRule,
  type RoutingRuleSet,
  type RoutingWord,
  SILENT,
  wordOf,
} from "../domain/routing/rules.ts";
import { type Standing, scores, shown } from "../domain/routing/score.ts";
import type { Health } from "./breaker.ts";
import { incapable } from "./eligibility.ts";
import { type ExplorationLimits, mayExplore } from "./exploration.ts";
import type { NoChoice, Router } from "./router.ts";

/** What a choice reaches beyond the payment's own facts. */
export type ChooserDeps = {
  readonly providers: readonly Connector[];
  /** Null: the merchant has none. Undefined: nobody knows. */
  readonly rulesOf: (
    merchant: string,
  ) => { readonly version: number; readonly rules: RoutingRuleSet } | null | undefined;
  readonly health: (provider: Connector) => Health | "full";
  readonly standing: (provider: Connector, facts: RoutingFacts) => Standing;
  readonly exploration: ExplorationLimits;
  /** From 0 up to 1; drawn at most once for each choice. */
  readonly random: () => number;
};

/** A provider on its way through the choice. */
type Entrant = {
  readonly provider: Connector;
  readonly against: Against | null;
  excluded: Exclusion | null;
  /** Its breaker waits for one request to see whether it is back. */
  probe: boolean;
  score: Score | null;
};
type Picked = { readonly entrant: Entrant; readonly because: Because };

/**
 * A choice goes: what providers declare, the merchant's rules, health, score. Then the first that a rule prefers, or the
 * best score; now and then, for small payments, a provider to learn about instead. A provider whose breaker waits for a
 * probe is asked by such a payment, or where there is nobody else.
 */
export function createChooser(deps: ChooserDeps): Router["choose"] {
  return (facts, tried) => {
    const own = deps.rulesOf(facts.merchant);
    if (own === undefined) return unruled(deps, facts);
    const word = own === null ? SILENT : wordOf(own.rules, facts);
    const entrants = deps.providers.map((provider) => entrantOf(deps, provider, facts, tried, word));
    const well = entrants.filter(({ excluded, probe }) => excluded === null && !probe);
    if (well.some(({ against }) => against === null))
      for (const entrant of entrants)
        if (entrant.excluded === null && entrant.against !== null)
          entrant.excluded = entrant.against.exclusion;
    // A card that was typed is not asked for again, unless a rule wants just that provider.
    if (well.some(({ excluded, provider }) => excluded === null && provider.capabilities.directCards))
      for (const entrant of entrants)
        if (entrant.excluded === null && !entrant.provider.capabilities.directCards && !named(word, entrant))
          entrant.excluded = "asks_again";
    const probes = ranked(
      deps,
      entrants.filter(({ excluded, probe }) => excluded === null && probe),
      facts,
      word,
    );
    const able = ranked(
      deps,
      well.filter(({ excluded }) => excluded === null),
      facts,
      word,
    );
    const picked = pick(deps, able, probes, word, mayExplore(deps.exploration, facts, tried));
    for (const probe of probes) if (probe !== picked?.entrant) probe.excluded = "breaker_open";
    const decided = decidedBy(entrants, picked, word);
    const reason: RoutingReason = {
      rule: decided === null ? null : nameOf(decided),
      because: becauseOf(picked, decided, tried),
      candidates: [...new Set([...able, ...probes, ...entrants])].map(candidateOf),
      cardCountry: facts.cardCountry,
      payerCountry: facts.payerCountry,
      rulesVersion: own?.version ?? 0,
    };
    return { provider: picked?.entrant.provider.name ?? null, reason };
  };
}

/** Without the merchant's rules nobody is asked: one of them may say that somebody never is. */
const unruled = ({ providers }: ChooserDeps, { cardCountry, payerCountry }: RoutingFacts): NoChoice => {
  const candidates = providers.map(
    ({ name }) => ({ provider: name, excluded: "rules_unknown", score: null }) as const,
  );
  const reason = {
    rule: null,
    because: "default",
    candidates,
    cardCountry,
    payerCountry,
    rulesVersion: 0,
  } as const;
  return { provider: null, reason };
};

function entrantOf(
  { health }: ChooserDeps,
  provider: Connector,
  facts: RoutingFacts,
  tried: readonly string[],
  word: RoutingWord,
): Entrant {
  const entrant: Entrant = {
    provider,
    against: word.against(provider.name),
    excluded: null,
    probe: false,
    score: null,
  };
  const { against } = entrant;
  if (tried.includes(provider.name)) entrant.excluded = "tried";
  else entrant.excluded = incapable(provider, facts);
  if (entrant.excluded !== null) return entrant;
  if (against !== null && against.exclusion !== "rule_avoids") entrant.excluded = against.exclusion;
  else {
    const now = health(provider);
    if (now === "open") entrant.excluded = "breaker_open";
    if (now === "full") entrant.excluded = "bulkhead_full";
    entrant.probe = now === "probe";
  }
  return entrant;
}

/** Scored, best first: as a rule prefers them, then by score, then as configured. */
function ranked(
  { standing }: ChooserDeps,
  entrants: readonly Entrant[],
  facts: RoutingFacts,
  word: RoutingWord,
): readonly Entrant[] {
  if (entrants.length < 2) return entrants;
  const all = scores(entrants.map(({ provider }) => standing(provider, facts)));
  for (const [index, entrant] of entrants.entries()) entrant.score = all[index] ?? null;
  return [...entrants].sort(
    (a, b) => placeIn(word, a) - placeIn(word, b) || (b.score?.total ?? 0) - (a.score?.total ?? 0),
  );
}

const named = ({ prefer }: RoutingWord, { provider }: Entrant): boolean =>
  prefer?.targets.includes(provider.name) ?? false;

const LAST = Number.MAX_SAFE_INTEGER;

/** The place that the preferring rule gives it. */
function placeIn({ prefer }: RoutingWord, { provider }: Entrant): number {
  const place = prefer === null ? -1 : prefer.targets.indexOf(provider.name);
  return place === -1 ? LAST : place;
}

function pick(
  { exploration, random }: ChooserDeps,
  able: readonly Entrant[],
  probes: readonly Entrant[],
  word: RoutingWord,
  explores: boolean,
): Picked | null {
  const [best, ...others] = able;
  const [probe] = probes;
  if (best === undefined)
    return probe === undefined
      ? null
      : { entrant: probe, because: probes.length === 1 ? "only_one" : "best_score" };
  const place = placeIn(word, best);
  // What a rule prefers gives way only to what it prefers more.
  if (explores && probe !== undefined && (place === LAST || placeIn(word, probe) < place))
    return { entrant: probe, because: "exploration" };
  if (place !== LAST) return { entrant: best, because: others.length === 0 ? "only_one" : "rule" };
  if (others.length === 0) return { entrant: best, because: "only_one" };
  const drawn = explores ? random() : 1;
  if (drawn >= exploration.share) return { entrant: best, because: "best_score" };
  const other = others[Math.floor((drawn / exploration.share) * others.length)];
  return { entrant: other ?? best, because: "exploration" };
}

/** The rule that made the choice what it is: it prefers the one, or leaves it alone, or leaves nobody. */
function decidedBy(
  entrants: readonly Entrant[],
  picked: Picked | null,
  word: RoutingWord,
): RoutingRule | null {
  if (picked?.because === "rule") return word.prefer;
  if (picked !== null && picked.because !== "only_one") return null;
  const barred = entrants.find(({ excluded, against }) => against !== null && excluded === against.exclusion);
  return barred?.against?.rule ?? null;
}

function becauseOf(picked: Picked | null, decided: RoutingRule | null, tried: readonly string[]): Because {
  if (tried.length > 0) return "cascade";
  if (decided !== null) return "rule";
  return picked?.because ?? "default";
}

const candidateOf = ({ provider, excluded, score }: Entrant): RoutingReason["candidates"][number] => ({
  provider: provider.name,
  excluded,
  score: score === null || excluded !== null ? null : shown(score),
});
