import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makePlan, type Plan, PROVIDERS, type ProviderName } from "./plan.ts";
import { reportOf } from "./report.ts";
import { runPlan } from "./run.ts";

// npm run simulate -- [--seed N] [--payments N] [--providers stripe,adyen] [--at-once N] [--down-seconds N] [--plan FILE]
// Plays payments over all providers while everything goes wrong, then compares every book (docs/simulator.md).
// Exit codes: 0 all agrees, 1 something does not, 2 it could not be run.

const DIFFERENT = 1;
const NOT_RUN = 2;

class Refused extends Error {}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: String(Math.floor(Date.now() / 86_400_000)) },
      payments: { type: "string", default: "2000" },
      providers: { type: "string", default: PROVIDERS.join(",") },
      "at-once": { type: "string", default: "64" },
      "down-seconds": { type: "string", default: "60" },
      crashes: { type: "string", default: "2" },
      "database-cuts": { type: "string", default: "2" },
      plan: { type: "string" },
    },
  });
  const plan = values.plan === undefined ? planFrom(values) : readPlan(values.plan);
  const { seed, payments } = plan;
  const file = join(tmpdir(), `tessera-simulation-${seed}-${payments.length}.json`);
  writeFileSync(file, JSON.stringify(plan));
  console.log(
    `seed ${seed}: ${payments.length} payments over ${plan.providers.join(", ")}, ${plan.weather.length} larger faults; the plan is ${file}`,
  );
  const result = await runPlan(plan, {
    providerDeadlineMs: 1_500,
    payersHaveMs: 20_000,
    atOnce: numberIn("at-once", values["at-once"]),
    patienceMs: 30_000,
    quietWithinMs: 150_000,
    say: (line) => console.log(line),
  });
  const found = file.replace(/\.json$/, "-dossier.json");
  if (result.problems.length > 0) {
    writeFileSync(found, JSON.stringify({ problems: result.problems, payments: result.dossier }, null, 1));
    console.log(`what the database knows of the payments below: ${found}`);
  }
  for (const line of reportOf(result, `npm run simulate -- --plan ${file}`)) console.log(line);
  return result.problems.length === 0 ? 0 : DIFFERENT;
}

function planFrom(values: Readonly<Record<string, string | undefined>>): Plan {
  return makePlan({
    seed: numberIn("seed", values["seed"]),
    payments: numberIn("payments", values["payments"]),
    providers: providersIn(values["providers"] ?? ""),
    downMs: numberIn("down-seconds", values["down-seconds"]) * 1_000,
    crashes: Number(values["crashes"]),
    databaseCuts: numberIn("database-cuts", values["database-cuts"]),
  });
}

function numberIn(name: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw new Refused(`--${name} is a whole number`);
  return Number(text);
}

function providersIn(text: string): ProviderName[] {
  const names = text.split(",");
  const known = PROVIDERS.filter((provider) => names.includes(provider));
  if (known.length !== names.length) throw new Refused(`--providers is a list of ${PROVIDERS.join(", ")}`);
  return known;
}

function readPlan(file: string): Plan {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Plan;
  } catch (error) {
    throw new Refused(`--plan is a file that a run has written: ${(error as Error).message}`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(
    `simulate: ${error instanceof Refused ? error.message : String((error as Error).stack ?? error)}`,
  );
  process.exitCode = NOT_RUN;
}
