import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { homePath } from "../regions/dev/home.ts";
import { differencesIn, openReconciler, type Period } from "../subgraphs/ledger/reconcile/reconcile.ts";
import { CHECKS } from "../subgraphs/ledger/reconcile/report.ts";

// npm run ledger:reconcile -- [--from ISO] [--to ISO] [--shards 0-15,200]: compares the ledger with itself, with the
// payments and with the outbox, and lists what does not agree. DATABASE_URL, if it is not set, is that of the platform
// that `npm start` runs. Exit codes: 0 all agrees, 1 something does not, 2 it could not be compared.

const DIFFERENT = 1;
const NOT_COMPARED = 2;
const STATEMENT_TIMEOUT_MS = 3_600_000;
const LISTED = 200;

class Refused extends Error {}

async function main(): Promise<number> {
  const period = readPeriod();
  const reconciler = openReconciler({
    url: databaseUrl(),
    connections: 1,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    const result = await reconciler.reconcile(period);
    if (!result.ok) {
      const through = result.error.projectedThrough.toISOString();
      throw new Refused(`Statements are complete through ${through}: reconcile up to then, or later.`);
    }
    const { findings, durationMs } = result.value;
    for (const { check, examined, wrong } of findings) {
      const outcome = wrong === 0 ? CHECKS[check] : `${wrong} DIFFER`;
      console.log(`${check.padEnd(10)} ${String(examined).padStart(12)}  ${outcome}`);
    }
    const listed = findings.flatMap(({ differences }) => differences).slice(0, LISTED);
    for (const { check, subject, message } of listed) console.log(`${check}  ${subject}  ${message}`);
    const differences = differencesIn(result.value);
    if (differences > listed.length) console.log(`the first ${listed.length} of ${differences} are above`);
    const rows = findings.reduce((sum, { examined }) => sum + examined, 0);
    const seconds = durationMs / 1_000;
    console.log(`${rows} rows in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows per second`);
    console.log(differences === 0 ? "RECONCILED: all agrees" : `DIFFERENT: ${differences} differences`);
    return differences === 0 ? 0 : DIFFERENT;
  } finally {
    await reconciler.close();
  }
}

function readPeriod(): Period {
  const { values } = parseArgs({
    options: { from: { type: "string" }, to: { type: "string" }, shards: { type: "string" } },
  });
  const instant = (name: "from" | "to", otherwise: string) => {
    const date = new Date(values[name] ?? otherwise);
    if (Number.isNaN(date.getTime()))
      throw new Refused(`--${name} is an instant such as 2026-11-22T17:59:03Z`);
    return date;
  };
  const from = instant("from", "1970-01-01T00:00:00Z");
  const to = instant("to", "9999-12-31T00:00:00Z");
  if (from >= to) throw new Refused("--from is before --to");
  return { from, to, ...(values.shards === undefined ? {} : { shards: readShards(values.shards) }) };
}

/** "0-15,200" as the shards that it names. */
function readShards(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const range = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim());
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (range === null || first > last || last > 255)
      throw new Refused("--shards is a list such as 0-15,200, each 0 to 255");
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
}

function databaseUrl(): string {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") return given;
  const running = join(homePath(), "dev.json");
  if (!existsSync(running))
    throw new Refused(`Nothing runs in ${homePath()} whose books to compare, and DATABASE_URL is not set.`);
  return (JSON.parse(readFileSync(running, "utf8")) as { database: string }).database;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(
    `ledger:reconcile: ${error instanceof Refused ? error.message : String((error as Error).stack ?? error)}`,
  );
  process.exitCode = NOT_COMPARED;
}
