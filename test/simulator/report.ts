import type { RunResult } from "./run.ts";
import { seconds } from "./waits.ts";

const LISTED = 40;

/** What a run has shown, line by line, and what to do next. */
export function reportOf(result: RunResult, replay: string): string[] {
  const { problems, payments, operations, states, waits, rows, ms, faults, newsAnswered } = result;
  const counted = (of: Iterable<readonly [string | number, number]>) =>
    [...of].map(([name, count]) => `${name} ${count}`).join(", ") || "none";
  const lines = [
    `${payments} payments with ${operations} operations in ${seconds(ms.played)}; quiet after another ${seconds(ms.quiet)}; ${seconds(ms.all)} in all`,
    `payments: ${counted(Object.entries(states))}; at ${counted(Object.entries(result.atProviders))}`,
    `the region died ${result.deaths} times, ${result.crashes} of them unordered, and was away for ${seconds(result.longestGapMs)} at most; requests that failed through its own fault: ${counted(faults)}`,
    `news answered with: ${counted(newsAnswered)}; not answered: ${counted(result.newsFailed)}`,
    `outcomes that had to be asked for: ${waits.unknown}; they took ${seconds(waits.median)} (median), ${seconds(waits.p99)} (99 %), ${seconds(waits.longest)} (longest); ${waits.over30s} over 30 s`,
    ...waits.slowest.map((line) => `  ${line}`),
    `ledger:reconcile compared ${rows.reconciled} rows; audit:verify proved ${rows.audited}`,
  ];
  if (problems.length === 0)
    return [...lines, "AGREED: providers, payments and ledger say the same, to the cent"];
  const kinds = Map.groupBy(problems, ({ check }) => check);
  lines.push(...[...kinds].map(([check, own]) => `${String(own.length).padStart(6)}  ${check}`));
  for (const { check, message, payment } of problems.slice(0, LISTED))
    lines.push(`${check}${payment === null ? "" : ` (payment ${payment} of the plan)`}: ${message}`);
  if (problems.length > LISTED) lines.push(`the first ${LISTED} of ${problems.length} are above`);
  return [
    ...lines,
    `DIFFERENT: ${problems.length} problems`,
    `Next: run it again with ${replay}; a payment's requests are in the plan under its number, its keys are s<seed>-p<number>-…`,
  ];
}
