import { type ChildProcess, spawn } from "node:child_process";
import { createSecretKey } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import { migrate } from "../../regions/dev/migrate.ts";
import { freePort } from "../../regions/dev/ports.ts";
import { type RunningPostgres, startPostgres } from "../../regions/dev/postgres.ts";
import { faultsOfChains } from "../support/chains.ts";

/**
 * Ten writers of 20,000 random commits each, while Node and Postgres are killed with SIGKILL at random points: what
 * was acknowledged is there once, what was not is there once or not at all, wholly, and the chain verifies.
 */
const WRITERS = 10;
const SHARE = 20_000;
const AUDIT_KEY = createSecretKey(Buffer.alloc(32, "crash"));

let folder: string;
let port: number;
let server: RunningPostgres;

const start = () => startPostgres({ dataDir: join(folder, "postgres"), port, log: () => {} });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tessera-ledger-crash-"));
  chmodSync(folder, 0o711);
  port = await freePort();
  server = await start();
  await migrate(server.url);
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startWriters(): { readonly child: ChildProcess; readonly exited: Promise<number | null> } {
  const child = spawn(
    process.execPath,
    ["test/support/ledger-writer.ts", server.url, folder, String(WRITERS), String(SHARE)],
    { cwd: projectRoot, stdio: ["ignore", "ignore", "inherit"] },
  );
  return { child, exited: new Promise((resolve) => child.once("exit", (code) => resolve(code))) };
}

it("nothing is lost, doubled or half done", { timeout: 300_000 }, async () => {
  let writers = startWriters();
  let isDone = false;
  let [nodeKills, postgresKills] = [0, 0];
  for (let round = 0; !isDone; round++) {
    const ended = await Promise.race([
      writers.exited,
      sleep(300 + Math.random() * 1_000, "running" as const),
    ]);
    if (ended !== "running") {
      expect(ended).toBe(0);
      isDone = true;
    } else if (nodeKills + postgresKills >= 12) {
      continue; // enough: let them come to an end
    } else if (round % 2 === 0) {
      nodeKills++;
      writers.child.kill("SIGKILL");
      await writers.exited;
      writers = startWriters();
    } else {
      postgresKills++;
      process.kill(server.pid, "SIGKILL");
      await server.exited;
      server = await start();
    }
  }
  expect(nodeKills).toBeGreaterThanOrEqual(2);
  expect(postgresKills).toBeGreaterThanOrEqual(2);

  const owner = postgres(server.url, { max: 1, types: { bigint: postgres.BigInt }, onnotice: () => {} });
  const sql = owner as unknown as Sql;
  try {
    const counts = await owner`
      select ledger.commit_of(id) as commit, count(*)::int as count from ledger.transfer group by 1`;
    const found = new Map(counts.map(({ commit, count }) => [commit as string, count as number]));
    const { sent, acknowledged, refused } = readLogs();
    expect(sent.size).toBeGreaterThan(WRITERS * SHARE * 0.95);
    expect([...acknowledged].filter((id) => found.get(id) !== sent.get(id))).toEqual([]);
    expect([...refused].filter((id) => found.has(id))).toEqual([]);
    expect([...found].filter(([id, count]) => sent.get(id) !== count)).toEqual([]);

    expect(await driftedBalances(sql)).toEqual([]);
    expect(await faultsOfChains(sql, AUDIT_KEY)).toEqual([]);
    const over = await owner`
      select b.id from ledger.balance b where limited = 1 and debits_posted + debits_pending > credits_posted`;
    expect(over).toEqual([]);
    const left = await owner`
      select coalesce(p.transfer, t.id) as id
      from ledger.pending p
      full join (
        select t.shard, t.id, t.amount - coalesce(sum(part.amount), 0) as remaining
        from ledger.transfer t
        left join ledger.transfer part on part.shard = t.shard and part.pending = t.id
        where t.kind = 1 group by t.shard, t.id, t.amount
      ) t on t.shard = p.shard and t.id = p.transfer
      where coalesce(p.remaining, 0) <> coalesce(t.remaining, 0)`;
    expect(left).toEqual([]);
  } finally {
    await owner.end();
  }
});

/** Accounts whose kept balances are not what their transfers give. */
const driftedBalances = (owner: Sql) => owner`
  select b.id from ledger.balance b
  left join (
    select e.shard, e.account,
      sum(e.amount) filter (where e.kind in (0, 2) and e.amount > 0) as dp,
      -sum(e.amount) filter (where e.kind in (0, 2) and e.amount < 0) as cp,
      sum(case e.kind when 1 then e.amount when 0 then 0 else -e.amount end) filter (where e.amount > 0) as dh,
      -sum(case e.kind when 1 then e.amount when 0 then 0 else -e.amount end) filter (where e.amount < 0) as ch
    from ledger.entry e group by 1, 2
  ) s on s.shard = b.shard and s.account = b.id
  where (coalesce(s.dp, 0), coalesce(s.cp, 0), coalesce(s.dh, 0), coalesce(s.ch, 0))
        is distinct from (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending)`;

/** What the writers wrote down. A line that a kill has cut is no line. */
function readLogs() {
  const sent = new Map<string, number>();
  const [acknowledged, refused] = [new Set<string>(), new Set<string>()];
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith("writer-"))) {
    for (const line of readFileSync(join(folder, name), "utf8").split("\n")) {
      const [what, id = "", count] = line.split(" ");
      if (id.length !== 36) continue;
      if (what === "s") sent.set(id, Number(count));
      else if (what === "a") acknowledged.add(id);
      else if (what === "r") refused.add(id);
    }
  }
  return { sent, acknowledged, refused };
}
