import { parseArgs } from "node:util";
import { err, ok, type Result } from "../../subgraphs/kernel/result.ts";

export type BenchOptions = {
  /** Where the report goes as JSON; null: nowhere. */
  readonly json: string | null;
  /** Beginnings of rows' names; empty: all rows. */
  readonly only: readonly string[];
  readonly rounds: number;
  /** How long each row is measured in each round. */
  readonly seconds: number;
  /** A folder for CPU profiles of the region under each payment row; null: none are taken. */
  readonly profile: string | null;
};

export const DEFAULT_ROUNDS = 5;
export const DEFAULT_SECONDS = 3;
const MAX_ROUNDS = 100;
const MAX_SECONDS = 120;

export const USAGE = `usage: npm run bench -- [options]

  --only NAME[,NAME]  only rows whose names begin so: payment.region, graph.noop (the baseline always runs)
  --rounds N          how often every row is measured (${DEFAULT_ROUNDS})
  --seconds S         for how long, each time (${DEFAULT_SECONDS})
  --json FILE         writes the report as JSON
  --profile DIR       afterwards, takes a CPU profile of the region under each payment row that goes through it`;

/** Reads the command line. An error is words for the user. */
export function parseArguments(argv: readonly string[]): Result<BenchOptions, string> {
  try {
    const { values } = parseArgs({
      // npm takes the first "--" away, `node cli/run.mjs bench -- …` does not.
      args: argv[0] === "--" ? argv.slice(1) : [...argv],
      options: {
        json: { type: "string" },
        only: { type: "string", multiple: true },
        rounds: { type: "string", default: String(DEFAULT_ROUNDS) },
        seconds: { type: "string", default: String(DEFAULT_SECONDS) },
        profile: { type: "string" },
      },
    });
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS)
      return err(`--rounds is a whole number from 1 to ${MAX_ROUNDS}, not "${values.rounds}".`);
    const seconds = Number(values.seconds);
    if (!(seconds >= 0.2 && seconds <= MAX_SECONDS))
      return err(`--seconds is from 0.2 to ${MAX_SECONDS}, not "${values.seconds}".`);
    const only = (values.only ?? []).flatMap((names) => names.split(",")).map((name) => name.trim());
    if (only.includes("")) return err("--only is a list of names, separated by commas.");
    return ok({ json: values.json ?? null, only, rounds, seconds, profile: values.profile ?? null });
  } catch (error) {
    return err((error as Error).message);
  }
}

/**
 * The names that were asked for, in their own order: those that begin with one of `only`, or all but `onlyIfAsked`.
 * @returns an error in words, if one of `only` is the beginning of none
 */
export function selectNames(
  names: readonly string[],
  only: readonly string[],
  onlyIfAsked: readonly string[] = [],
): Result<readonly string[], string> {
  const stray = only.find((prefix) => !names.some((name) => name.startsWith(prefix)));
  if (stray !== undefined)
    return err(`no row's name begins with "${stray}". There are:\n  ${names.join("\n  ")}`);
  if (only.length === 0) return ok(names.filter((name) => !onlyIfAsked.includes(name)));
  return ok(names.filter((name) => only.some((prefix) => name.startsWith(prefix))));
}
