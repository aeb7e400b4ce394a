import type { Commit } from "../../../subgraphs/ledger/commit.ts";
import type { CreatedMerchant } from "../../../subgraphs/merchants/create.ts";
import { ownMeter } from "../cpu-time.ts";
import { createDatabase, databaseUrl } from "../databases.ts";
import { takePayment } from "../ledger/payment.ts";
import { mustApply } from "../ledger/postings.ts";
import { newAuditKey, openLedger } from "../ledger/session.ts";
import { openMerchants } from "../merchants.ts";
import type { RowGroup } from "../row.ts";

/**
 * The database's side of a payment: the four commits of authorize and capture, with fee, journals and outbox, as the
 * domain computes them; through the committer with many under way, and by a statement a round trip.
 */
const DATABASE = "bench_payments";
const [ROUND_TRIPS, BATCHED] = ["payment.db.roundtrips", "payment.db.batched"] as const;
/** Payments under way. */
const IN_FLIGHT = 1_000;
const CLIENTS = 16;

export const paymentDb: RowGroup = {
  names: [ROUND_TRIPS, BATCHED],
  derived: [
    {
      name: `${BATCHED}.postgres_gain`,
      unit: "x",
      from: [ROUND_TRIPS, BATCHED],
      derive: (trips, batched) =>
        (trips?.cpuByProcess["postgres"] ?? 0) / (batched?.cpuByProcess["postgres"] ?? 0),
    },
  ],
  async open(bench) {
    const url = await createDatabase(bench, DATABASE);
    const merchants = await openMerchants(url.href);
    const auditKey = newAuditKey();
    let session = await openLedger(url, auditKey, CLIENTS);
    let next = 0;
    const payer = () => (merchants[next++ % merchants.length] as CreatedMerchant).id;
    const batched = async (commit: Commit) => mustApply(await session.committer.commit(commit));
    // The first payment of each opens its accounts, which the other way takes for granted.
    for (const { id } of merchants) await takePayment(id, batched);
    const base = {
      units: "payments",
      processes: [bench.meters.postgres, ownMeter("node")],
      ours: ["postgres", "node"],
      database: DATABASE,
    };
    return {
      rows: [
        {
          ...base,
          name: ROUND_TRIPS,
          clients: CLIENTS,
          run: (client) => takePayment(payer(), async (commit) => session.statements[client]?.apply(commit)),
        },
        { ...base, name: BATCHED, clients: IN_FLIGHT, run: () => takePayment(payer(), batched) },
      ],
      async reconnect(through) {
        await session.close();
        session = await openLedger(databaseUrl(through, DATABASE), auditKey, CLIENTS);
      },
      close: () => session.close(),
    };
  },
};
