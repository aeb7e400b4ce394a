import type { Decided } from "../three-ds/policy.ts";
import { BECAUSE, type Because, EXCLUSIONS, type Exclusion, type RoutingReason } from "./reason.ts";
import { weighted } from "./score.ts";

/**
 * A reason as it is stored with every attempt: short, since it is written with every payment. A candidate is
 * ["stripe"], ["stripe", success, latency, cost] in thousandths or, if excluded, ["stripe", "currency"]; the total is
 * arithmetic. What is null or 0 is left out.
 */
export type StoredReason = {
  readonly because: Because;
  readonly among: readonly (readonly (string | number)[])[];
  readonly rule?: string;
  readonly rules?: number;
  readonly card?: string;
  readonly payer?: string;
  /** What was decided of the payer's authentication. */
  readonly sca?: StoredDecision;
};

type StoredDecision = Pick<Decided, "because"> & { readonly [K in keyof Decided]?: NonNullable<Decided[K]> };

/** A rule without a name is known by its text, of which this many characters are kept. */
const RULE_LENGTH = 80;

export function storedReason(reason: RoutingReason): StoredReason {
  const { because, candidates, rule, rulesVersion, cardCountry, payerCountry, authentication } = reason;
  return {
    because,
    among: candidates.map(({ provider, excluded, score }) => {
      if (excluded !== null) return [provider, excluded];
      return score === null
        ? [provider]
        : [provider, ...[score.success, score.latency, score.cost].map(thousandths)];
    }),
    ...(rule === null ? {} : { rule: rule.slice(0, RULE_LENGTH) }),
    ...(rulesVersion === 0 ? {} : { rules: rulesVersion }),
    ...(cardCountry === null ? {} : { card: cardCountry }),
    ...(payerCountry === null ? {} : { payer: payerCountry }),
    ...(authentication === undefined ? {} : { sca: withoutNulls(authentication) }),
  };
}

const withoutNulls = ({ because, by, challenge, exemption }: Decided): StoredDecision => ({
  because,
  ...(by === null ? {} : { by }),
  ...(challenge === null ? {} : { challenge }),
  ...(exemption === null ? {} : { exemption }),
});

const thousandths = (part: number): number => Math.round(part * 1_000);

/** Reads a stored reason back; null for what is not one. */
export function reasonFrom(stored: unknown): RoutingReason | null {
  if (typeof stored !== "object" || stored === null) return null;
  const { because, among, rule, rules, card, payer, sca } = stored as Partial<StoredReason>;
  if (because === undefined || !BECAUSE.includes(because) || !Array.isArray(among)) return null;
  return {
    because,
    rule: rule ?? null,
    rulesVersion: rules ?? 0,
    cardCountry: card ?? null,
    payerCountry: payer ?? null,
    candidates: among.map(candidateFrom),
    ...(sca === undefined
      ? {}
      : { authentication: { by: null, challenge: null, exemption: null, ...sca } satisfies Decided }),
  };
}

function candidateFrom(stored: readonly (string | number)[]): RoutingReason["candidates"][number] {
  const [name, first, second, third] = stored;
  const provider = String(name);
  if (typeof first === "string")
    return { provider, excluded: first in EXCLUSIONS ? (first as Exclusion) : "tried", score: null };
  if (typeof first !== "number") return { provider, excluded: null, score: null };
  const parts = { success: first / 1_000, latency: Number(second) / 1_000, cost: Number(third) / 1_000 };
  return { provider, excluded: null, score: { ...parts, total: rounded(weighted(parts)) } };
}

const rounded = (part: number): number => Math.round(part * 1_000) / 1_000;
