import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Dice } from "./dice.ts";
import type { RegionLink } from "./region-link.ts";

/** What stands before the region and takes the providers' news: it loses some, and answers 503 if there is no region. */
export type SimulatedEdge = {
  /** `http://127.0.0.1:PORT/webhooks` */
  readonly webhookBase: string;
  /** The share of deliveries that are refused, so that they come again; from 0 to 1. */
  refuses: number;
  /** The share of deliveries that are accepted and go no further; of news that can be learnt by asking, too. */
  swallows: number;
  /** What the region answered, by status. */
  readonly answered: ReadonlyMap<number, number>;
  /** Why the region did not answer, by the first line of what it said. */
  readonly failed: ReadonlyMap<string, number>;
  /** From now on deliveries go on to this region. */
  connect(region: RegionLink): void;
  stop(): Promise<void>;
};

export async function startEdge(seed: number): Promise<SimulatedEdge> {
  const dice = new Dice(seed, "edge");
  let region: RegionLink | null = null;
  const answered = new Map<number, number>();
  const failed = new Map<string, number>();
  const server = createServer((message, response) => {
    if (region === null || dice.chance(edge.refuses)) {
      message.resume();
      response.writeHead(503).end();
      return;
    }
    passOn(region, message, () => dice.chance(edge.swallows)).then(
      ({ status, body }) => {
        answered.set(status, (answered.get(status) ?? 0) + 1);
        response.writeHead(status).end(body);
      },
      (error: unknown) => {
        const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
        failed.set(why, (failed.get(why) ?? 0) + 1);
        response.writeHead(503).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const edge: SimulatedEdge = {
    webhookBase: `http://127.0.0.1:${port}/webhooks`,
    refuses: 0,
    swallows: 0,
    answered,
    failed,
    connect(to) {
      region = to;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return edge;
}

/** A refund that comes back after it succeeded, and all of Adyen's outcomes, are told by news alone. */
const canBeAsked = (provider: string, body: Buffer): boolean =>
  provider === "mollie" ||
  (provider === "stripe" && !/"type": ?"(refund\.|charge\.refund)/.test(body.toString("utf8")));

/** How long a message is held while one region's process takes over from another, in ms. */
const TAKES_OVER_WITHIN_MS = 3_000;

async function passOn(
  region: RegionLink,
  message: IncomingMessage,
  swallowed: () => boolean,
): Promise<{ readonly status: number; readonly body: string }> {
  const [, , provider = "", endpoint = ""] = (message.url ?? "").split("/");
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
  );
  const bytes = Buffer.concat(chunks);
  if (canBeAsked(provider, bytes) && swallowed()) return { status: 200, body: "" };
  const body = new Uint8Array(bytes);
  await region.up(TAKES_OVER_WITHIN_MS);
  const receipt = await region.call({ call: "news", provider, endpoint, headers, body });
  return receipt as { status: number; body: string };
}
