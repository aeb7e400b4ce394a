import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { StartProblem } from "../../regions/dev/problem.ts";
import { onStopRequest } from "../../regions/dev/stop-request.ts";
import { type BenchOptions, parseArguments, selectNames, USAGE } from "./arguments.ts";
import { namesOf, rowGroups } from "./rows/index.ts";
import { runBench } from "./run.ts";
import { renderReport } from "./table.ts";

/** `npm run bench`: see docs/benchmarks.md. Leaves no process and no folder behind, however it ends. */
const began = performance.now();
const say = (line: string) =>
  console.log(`[${((performance.now() - began) / 1_000).toFixed(1).padStart(5)} s] ${line}`);

const NEXT = `
What next:
  one row again, more exactly      npm run bench -- --only payment.region.c16 --rounds 9
  where the region's time goes     npm run bench -- --only payment.region.c16 --profile profiles
  before and after a change        --json before.json, --json after.json: compare "ratio" and "cpuRatio", not rates
  what each row and column means   docs/benchmarks.md`;

function options(): BenchOptions & { readonly names: readonly string[] } {
  const argv = process.argv.slice(2);
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(USAGE);
    process.exit(0);
  }
  const parsed = parseArguments(argv);
  const onlyIfAsked = rowGroups.flatMap((group) => group.onlyIfAsked ?? []);
  const selected = parsed.ok
    ? selectNames(rowGroups.flatMap(namesOf), parsed.value.only, onlyIfAsked)
    : parsed;
  if (parsed.ok && selected.ok) return { ...parsed.value, names: selected.value };
  console.error(`${parsed.ok ? (selected as { error: string }).error : parsed.error}\n\n${USAGE}`);
  process.exit(2);
}

const { json, rounds, seconds, names, profile } = options();
const stopping = new AbortController();
onStopRequest((why) => {
  say(`stopping (${why}): ending what was started`);
  stopping.abort();
});
// Nobody reads on, as behind `| head`.
process.stdout.on("error", () => stopping.abort());

try {
  const plan = { names: new Set(names), rounds, seconds, profile: profile && resolve(profile) };
  const { report, profiles } = await runBench(plan, say, stopping.signal);
  console.log(renderReport(report));
  if (profiles !== null) console.log(`\n${profiles}`);
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(NEXT);
  if (json !== null) say(`the report is in ${json}`);
  process.exit(0);
} catch (error) {
  if (stopping.signal.aborted) {
    say("stopped; nothing is left running");
    process.exit(130);
  }
  console.error(`\n${error instanceof StartProblem ? error.message : (error as Error).stack}`);
  process.exit(1);
}
