import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { platformSecrets } from "../regions/dev/dev-secrets.ts";
import { homePath } from "../regions/dev/home.ts";
import { folderStore } from "../subgraphs/ledger/audit/folder-store.ts";
import { auditKey, InvalidAuditSetting, verifyingKeys } from "../subgraphs/ledger/audit/keys.ts";
import { lineOf, type Progress, type Verdict, verifyAudit } from "../subgraphs/ledger/audit/verify.ts";

// npm run audit:verify -- [--shard N] [--from ISO] [--to ISO]
// Settings: DATABASE_URL, AUDIT_KEY, AUDIT_CHECKPOINT_KEYS, AUDIT_STORE; those that are not there are of the platform
// that `npm start` runs. Exit codes: 0 as it was written, 1 it is not, 2 it could not be checked.

const ALTERED = 1;
const NOT_CHECKED = 2;
const SAY_EVERY_MS = 2_000;

type Settings = Readonly<
  Record<"DATABASE_URL" | "AUDIT_KEY" | "AUDIT_CHECKPOINT_KEYS" | "AUDIT_STORE", string | undefined>
>;

class Refused extends Error {}

async function main(): Promise<number> {
  const { shard, from, to } = range();
  const settings = readSettings();
  const verdict = await verifyAudit({
    databaseUrl: settings.DATABASE_URL ?? "",
    store: folderStore(settings.AUDIT_STORE ?? ""),
    auditKey: auditKey(settings.AUDIT_KEY),
    keys: verifyingKeys(settings.AUDIT_CHECKPOINT_KEYS),
    shard,
    from,
    to,
    onProgress: sayProgress(),
  });
  for (const finding of verdict.findings) console.log(lineOf(finding));
  sayVerdict(verdict);
  return verdict.found === 0 ? 0 : ALTERED;
}

function range() {
  const { values } = parseArgs({
    options: { shard: { type: "string" }, from: { type: "string" }, to: { type: "string" } },
  });
  const { shard } = values;
  if (shard !== undefined && !(/^\d{1,3}$/.test(shard) && Number(shard) < 256))
    throw new Refused("--shard is 0 to 255");
  const instant = (name: "from" | "to") => {
    const text = values[name];
    const date = text === undefined ? undefined : new Date(text);
    if (date !== undefined && Number.isNaN(date.getTime())) {
      throw new Refused(`--${name} is an instant such as 2026-11-22T17:59:03Z`);
    }
    return date;
  };
  return { shard: shard === undefined ? undefined : Number(shard), from: instant("from"), to: instant("to") };
}

function readSettings(): Settings {
  const { DATABASE_URL, AUDIT_KEY, AUDIT_CHECKPOINT_KEYS, AUDIT_STORE } = process.env;
  const given = { DATABASE_URL, AUDIT_KEY, AUDIT_CHECKPOINT_KEYS, AUDIT_STORE };
  const missing = Object.entries(given).filter(([, value]) => value === undefined || value === "");
  if (missing.length === 0) return given;
  const home = homePath();
  const running = join(home, "dev.json");
  if (!existsSync(running)) {
    const names = missing.map(([name]) => name).join(", ");
    throw new Refused(`Nothing runs in ${home} whose books to check, and these are not set: ${names}.`);
  }
  const { database } = JSON.parse(readFileSync(running, "utf8")) as { database: string };
  const { audit } = platformSecrets(home);
  const { d: _secret, ...publicJwk } = JSON.parse(audit.AUDIT_SIGNING_KEY) as Record<string, string>;
  return {
    DATABASE_URL: DATABASE_URL || database,
    AUDIT_KEY: AUDIT_KEY || audit.AUDIT_KEY,
    AUDIT_CHECKPOINT_KEYS: AUDIT_CHECKPOINT_KEYS || JSON.stringify([publicJwk]),
    AUDIT_STORE: AUDIT_STORE || join(home, "audit"),
  };
}

function sayProgress(): (progress: Progress) => void {
  const began = performance.now();
  let said = Number.NEGATIVE_INFINITY;
  let last = "";
  return ({ phase, rows }) => {
    const now = performance.now();
    if (phase === last && now - said < SAY_EVERY_MS) return;
    said = now;
    last = phase;
    const count = phase === "rows" ? `: ${rows} so far` : "";
    console.error(`${((now - began) / 1_000).toFixed(1)} s  ${phase}${count}`);
  };
}

function sayVerdict({
  rows,
  beforeChains,
  batches,
  checkpoints,
  young,
  found,
  findings,
  seconds,
}: Verdict): void {
  const all = seconds.checkpoints + seconds.chains + seconds.rows;
  const rate = Math.round(rows / Math.max(all, 0.001));
  console.log(`${rows} rows in ${batches} batches under ${checkpoints} checkpoints, ${rate} rows per second`);
  if (beforeChains > 0)
    console.log(`${beforeChains} of them were there before the chains, and nothing proves them`);
  if (young > 0) console.log(`${young} batches are too young to be in a checkpoint`);
  if (found > findings.length) console.log(`the first ${findings.length} of ${found} findings are above`);
  console.log(found === 0 ? "VERIFIED: everything is as it was written" : `ALTERED: ${found} findings`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof Refused || error instanceof InvalidAuditSetting;
  console.error(`audit:verify: ${known ? error.message : String((error as Error).stack ?? error)}`);
  process.exitCode = NOT_CHECKED;
}
