import type { Bench } from "../bench.ts";
import { timeProvider } from "../direct-provider.ts";
import { type GraphqlClient, graphqlClient } from "../graphql-client.ts";
import { openIdentities } from "../identities.ts";
import type { Payer, Platform } from "../platform.ts";
import type { Row, RowGroup } from "../row.ts";
import { takePayment } from "./payments-api.ts";

/**
 * Payments through the running platform: `payment.region` posts to the region's gateway with the edge's signed
 * word, `payment.edge` to the api worker with a secret key. Real vault, real sandbox, real Postgres.
 */
const CLIENTS = [1, 16, 64];
const DOORS = ["region", "edge"] as const;
/** The row that says how long a merchant waits for us, without the provider's part. */
const AWAITED = "payment.edge.c16";

const nameOf = (door: string, clients: number) => `payment.${door}.c${clients}`;

export const paymentPlatform: RowGroup = {
  names: DOORS.flatMap((door) => CLIENTS.map((clients) => nameOf(door, clients))),
  derived: [
    {
      name: `${AWAITED}.p99_less_provider`,
      unit: "ms",
      from: [AWAITED],
      derive: (sample) => (sample?.p99Ms ?? 0) - (sample?.extras["providerMs"] ?? 0),
    },
  ],
  async open(bench) {
    const platform = await bench.platform();
    const { urls, secrets } = platform.stack;
    const most = Math.max(...CLIENTS);
    const clients = { region: graphqlClient(urls.gateway, most), edge: graphqlClient(urls.edge, most) };
    const identityOf = await openIdentities(secrets.api.EDGE_SIGNING_KEY);
    const doors: Record<(typeof DOORS)[number], Door> = {
      region: { client: clients.region, headersOf: (payer) => identityOf(payer.merchant) },
      edge: {
        client: clients.edge,
        headersOf: async ({ secretKey }) => ({ authorization: `Bearer ${secretKey}` }),
      },
    };
    return {
      rows: DOORS.flatMap((door) => CLIENTS.map((count) => rowOf(bench, platform, door, doors[door], count))),
      beforeRound: () => platform.sandbox.reset(), // it keeps everything in memory
      async close() {
        await Promise.all([clients.region.close(), clients.edge.close()]);
      },
    };
  },
};

type Door = {
  readonly client: GraphqlClient;
  readonly headersOf: (payer: Payer) => Promise<Readonly<Record<string, string>>>;
};

function rowOf(
  bench: Bench,
  platform: Platform,
  door: string,
  { client, headersOf }: Door,
  clients: number,
): Row {
  const { payers, meters, stack } = platform;
  const name = nameOf(door, clients);
  let next = 0;
  return {
    name,
    units: "payments",
    clients,
    async run() {
      const payer = payers[next++ % payers.length] as Payer;
      return takePayment(client, await headersOf(payer), payer.token);
    },
    processes: [bench.meters.postgres, meters.region, meters.workerd, meters.sandbox, bench.meters.driver],
    ours: ["postgres", "region", "workerd"],
    database: "tessera",
    ...(name === AWAITED
      ? {
          afterwards: async () => ({
            providerMs: await timeProvider(stack.urls.sandbox, stack.secrets.providerKey),
          }),
        }
      : {}),
  };
}
