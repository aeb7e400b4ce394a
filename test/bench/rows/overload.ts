import { graphqlClient } from "../graphql-client.ts";
import { openIdentities } from "../identities.ts";
import type { Payer } from "../platform.ts";
import type { Row, RowGroup, Sample } from "../row.ts";
import { takePayment } from "./payments-api.ts";

/**
 * What is left of the throughput when three times as much is asked for as can be done: payments at the region's gateway,
 * first by as many clients as saturate it, then at three times the rate that they got, whether or not earlier ones are
 * done. A payment counts if it ends captured; one that is turned away (503 or 429) is not sent again.
 */
const PEAK = "payment.overload.peak";
const OVERLOAD = "payment.overload";
const TIMES = 3;
/** More give no higher rate. */
const SATURATING_CLIENTS = 128;
/** Enough that nobody waits for one: what waits in the client is no load. */
const CONNECTIONS = 2_048;
/** Until the peak was measured once. */
const FIRST_GUESS = 100;
/** On a machine that others use as well the rates say what these left over; the CPU time of what is ours does not. */
const CPU = `${OVERLOAD}.cpu_over_peak`;

/** Not a failure of what is measured: it says that there is too much to do. */
class TurnedAway extends Error {
  override readonly name = "TurnedAway";
}

export const overload: RowGroup = {
  names: [PEAK, OVERLOAD],
  derived: [
    {
      name: `${OVERLOAD}.goodput`,
      unit: "of the peak",
      from: [PEAK, OVERLOAD],
      derive: (peak, overloaded) => (overloaded?.rate ?? 0) / (peak?.rate ?? Number.NaN),
    },
    {
      name: CPU,
      unit: "x",
      from: [PEAK, OVERLOAD],
      derive: (peak, overloaded) => (overloaded?.cpuMs ?? Number.NaN) / (peak?.cpuMs ?? Number.NaN),
    },
  ],
  async open(bench) {
    const platform = await bench.platform();
    const { payers, meters, stack, sandbox } = platform;
    const identityOf = await openIdentities(stack.secrets.api.EDGE_SIGNING_KEY);
    const client = graphqlClient(stack.urls.gateway, CONNECTIONS);
    let next = 0;
    let peakRate = FIRST_GUESS;
    const base = {
      units: "payments",
      clients: SATURATING_CLIENTS,
      async run() {
        const payer = payers[next++ % payers.length] as Payer;
        await takePayment(client, await identityOf(payer.merchant), payer.token).catch(turnedAway);
      },
      processes: [bench.meters.postgres, meters.region, meters.workerd, meters.sandbox, bench.meters.driver],
      ours: ["postgres", "region", "workerd"],
      database: null,
    } satisfies Omit<Row, "name">;
    return {
      rows: [
        {
          ...base,
          name: PEAK,
          onSample({ rate }: Sample) {
            peakRate = peakRate === FIRST_GUESS ? rate : Math.max(rate, peakRate);
          },
        },
        { ...base, name: OVERLOAD, arrivals: () => TIMES * peakRate },
      ],
      beforeRound: () => sandbox.reset(), // it keeps everything in memory
      close: () => client.close(),
    };
  },
};

function turnedAway(error: unknown): never {
  if (error instanceof Error && /^HTTP (503|429): /.test(error.message)) throw new TurnedAway(error.message);
  throw error;
}
