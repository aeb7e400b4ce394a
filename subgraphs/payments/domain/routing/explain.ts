import { type Because, EXCLUSIONS, type RoutingCandidate, type RoutingReason } from "./reason.ts";

const WHY: Record<Because, string> = {
  only_one: "Nobody else could take it.",
  rule: "Your rules say so.",
  best_score: "It had the best score.",
  exploration: "It was asked to learn how it does now; it was not the best as far as was known.",
  cascade: "The provider before it failed in a way that another may mend.",
  default: "It comes first.",
};

/** The reason in words: who was chosen and why, then a line for each who was not. `chosen` is null if nobody was. */
export function explain(reason: RoutingReason, chosen: string | null): readonly string[] {
  const lines =
    chosen === null
      ? ["Nobody could take it."]
      : [`${chosen} was asked. ${WHY[reason.because]}${ruleOf(reason)}`];
  return [...lines, ...reason.candidates.map(lineOf)];
}

const ruleOf = ({ rule, rulesVersion }: RoutingReason): string =>
  rule === null ? "" : ` (rule ${JSON.stringify(rule)}, version ${rulesVersion})`;

function lineOf({ provider, excluded, score }: RoutingCandidate): string {
  if (excluded !== null) return `${provider}: ${EXCLUSIONS[excluded]}.`;
  if (score === null) return `${provider}: could take it.`;
  const { success, latency, cost, total } = score;
  return `${provider}: ${total} = 0.5 × ${success} success + 0.3 × ${latency} speed + 0.2 × ${cost} cost.`;
}
