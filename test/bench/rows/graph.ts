import { projectRoot } from "../../../regions/dev/home.ts";
import { freePort } from "../../../regions/dev/ports.ts";
import type { Service } from "../../../regions/dev/service.ts";
import { SUBGRAPHS } from "../../../schema/compose.ts";
import type { Bench } from "../bench.ts";
import { type CpuMeter, processMeter } from "../cpu-time.ts";
import { type GraphqlClient, graphqlClient } from "../graphql-client.ts";
import { openIdentities } from "../identities.ts";
import type { Payer, Platform } from "../platform.ts";
import type { Row, RowGroup } from "../row.ts";
import { takePayment } from "./payments-api.ts";

/**
 * The graph by itself, posted to a gateway with the edge's signed word. `graph.noop` is what any request costs;
 * `graph.join.…` reads a payment with its journals, from two subgraphs, which are in the gateway's process or
 * in processes of their own.
 */
const CLIENTS = 16;
const OVER_HTTP = "graph.join.http";
const NOOP = "{ __typename }";
const JOIN = `query Join($id: ID!) {
  payment(id: $id) {
    id state amount { amount currency formatted }
    journals { id cause transfers { kind amount { amount currency } debit { code } credit { code } } }
  }
}`;

/** Payments to read: one for each merchant. */
type Readable = { readonly payer: Payer; readonly id: string };

export const graph: RowGroup = {
  names: ["graph.noop", "graph.join.inprocess", OVER_HTTP],
  async open(bench, needed) {
    const platform = await bench.platform();
    const identityOf = await openIdentities(platform.stack.secrets.api.EDGE_SIGNING_KEY);
    const own = graphqlClient(platform.stack.urls.gateway, CLIENTS);
    const readable: Readable[] = [];
    for (const payer of platform.payers) {
      readable.push({ payer, id: await takePayment(own, await identityOf(payer.merchant), payer.token) });
    }
    const apart = needed.has(OVER_HTTP) ? await startApart(bench, platform) : null;
    const overHttp = graphqlClient(apart?.url ?? platform.stack.urls.gateway, CLIENTS);

    const base = { clients: CLIENTS, units: "queries" };
    const inProcess = [bench.meters.postgres, platform.meters.region, bench.meters.driver];
    let next = 0;
    const pick = () => readable[next++ % readable.length] as Readable;
    const join = async (client: GraphqlClient) => {
      const { payer, id } = pick();
      const { payment } = await client.post<Joined>(JOIN, { id }, await identityOf(payer.merchant));
      if (payment?.journals.length !== 2) throw new Error("the journals of a captured payment are two");
    };
    const rows: Row[] = [
      {
        ...base,
        name: "graph.noop",
        run: async () => own.post(NOOP, {}, await identityOf(pick().payer.merchant)),
        processes: inProcess,
        ours: ["postgres", "region"],
        database: null,
      },
      {
        ...base,
        name: "graph.join.inprocess",
        run: () => join(own),
        processes: inProcess,
        ours: ["postgres", "region"],
        database: "tessera",
      },
    ];
    if (apart !== null) {
      rows.push({
        ...base,
        name: OVER_HTTP,
        run: () => join(overHttp),
        processes: [bench.meters.postgres, ...apart.meters, bench.meters.driver],
        ours: ["postgres", "gateway", "subgraphs"],
        database: null, // the statements of the row above, and a way to Postgres that the bench cannot watch
      });
    }
    return {
      rows,
      async close() {
        await Promise.all([own.close(), overHttp.close()]);
        await apart?.stop();
      },
    };
  },
};

type Joined = { readonly payment: { readonly journals: readonly unknown[] } | null };

type Apart = {
  readonly url: string;
  readonly meters: readonly CpuMeter[];
  stop(): Promise<void>;
};

/** A second gateway, and the two subgraphs that the join needs, each a process of its own. */
async function startApart(bench: Bench, platform: Platform): Promise<Apart> {
  const names = ["payments", "ledger"] as const;
  const subgraphs = await Promise.all(
    names.map((name) => startRegion(bench, platform, name, ["--subgraph", name], {})),
  );
  const [payments, ledger] = subgraphs as [Started, Started];
  // The others are in the supergraph, so they need an address; the join never asks them.
  const urls = Object.fromEntries(SUBGRAPHS.map((name) => [name, `${ledger.url}/graphql`]));
  const gateway = await startRegion(bench, platform, "gateway", [], {
    SUBGRAPH_URLS: JSON.stringify({ ...urls, payments: `${payments.url}/graphql` }),
  });
  const both = subgraphs.map(({ service }) => processMeter(service.name, () => service.pid));
  return {
    url: gateway.url,
    meters: [
      processMeter("gateway", () => gateway.service.pid),
      { name: "subgraphs", readMs: () => both.reduce((sum, { readMs }) => sum + readMs(), 0) },
    ],
    async stop() {
      for (const { service } of [gateway, ...subgraphs]) await service.stop();
    },
  };
}

type Started = { readonly service: Service; readonly url: string };

async function startRegion(
  bench: Bench,
  { stack: { secrets, urls } }: Platform,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Started> {
  const port = await freePort();
  const service = await bench.launcher.spawnService({
    name: `apart-${name}`,
    command: process.execPath,
    args: ["regions/main.ts", ...args],
    cwd: projectRoot,
    env: {
      PORT: String(port),
      DATABASE_URL: bench.postgres.url,
      ...secrets.region,
      ...secrets.audit,
      // Its own: what these processes audit, the platform's region does as well.
      AUDIT_STORE: `${bench.home}/apart-${name}-audit`,
      VAULT_URL: urls.vault,
      STRIPE_BASE_URL: urls.sandbox,
      STRIPE_SECRET_KEY: secrets.providerKey,
      REFERENCE_SECRET: secrets.referenceSecret,
      CHECKOUT_SECRET: secrets.checkoutSecret,
      ...env,
    },
    logFile: `${bench.home}/apart-${name}.log`,
    ready: /^ready on /m,
  });
  return { service, url: `http://127.0.0.1:${port}` };
}
