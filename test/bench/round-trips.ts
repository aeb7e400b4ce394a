import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { FrameReader, readStartup } from "./wire-frames.ts";

/** A way to Postgres that counts how often somebody waits for it. */
export type RoundTripCounter = {
  /** The target's URL with this way's address. */
  readonly url: URL;
  /** Since the last call, by the connections' application names. */
  take(): Readonly<Record<string, number>>;
  close(): Promise<void>;
};

/**
 * Passes connections on to Postgres and counts round trips: each time that a connection on which nothing is awaited
 * asks for something. Statements sent together, before the first is answered, are one. A Sync or a simple Query
 * asks; a ReadyForQuery answers.
 */
export async function countRoundTrips(target: URL): Promise<RoundTripCounter> {
  let counts: Record<string, number> = {};
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    watch(client, upstream, (name) => {
      counts[name] = (counts[name] ?? 0) + 1;
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    take() {
      const taken = counts;
      counts = {};
      return taken;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function watch(client: Socket, upstream: Socket, onRoundTrip: (name: string) => void): void {
  let name: string | null = null;
  let startup: Buffer = Buffer.alloc(0);
  let awaited = 0;
  const asked = new FrameReader((type) => {
    if (type !== "S" && type !== "Q") return;
    if (awaited++ === 0) onRoundTrip(name ?? "unnamed");
  });
  const answered = new FrameReader((type) => {
    // The first one ends the start-up, which nobody has asked for.
    if (type === "Z" && awaited > 0) awaited--;
  });
  client.on("data", (chunk: Buffer) => {
    if (name !== null) return asked.push(chunk);
    startup = Buffer.concat([startup, chunk]);
    const read = readStartup(startup);
    if (read === null) return;
    name = read.name;
    asked.push(startup, read.length);
  });
  upstream.on("data", (chunk: Buffer) => answered.push(chunk));
}
