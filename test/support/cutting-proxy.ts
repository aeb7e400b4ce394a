import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a database that can lose what the database answers. */
export type CuttingProxy = {
  readonly url: string;
  /** The next thing that is sent arrives and is carried out; its answer never comes, and the connection is gone. */
  cutNextAnswer(): void;
  /** New connections are refused, as by a database that is down, until it listens again. */
  refuse(): void;
  listenAgain(): Promise<void>;
  readonly cuts: number;
  close(): Promise<void>;
};

/** Long enough for a batch to be carried out. */
const CARRIED_OUT_MS = 400;

export async function startCuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isCutting = false;
  let cuts = 0;
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    let isCut = false;
    client.on("data", (bytes) => {
      if (isCutting) {
        isCutting = false;
        isCut = true;
        cuts++;
        setTimeout(() => [client, database].forEach((socket) => socket.destroy()), CARRIED_OUT_MS);
      }
      database.write(bytes);
    });
    database.on("data", (bytes) => isCut || client.write(bytes));
    client.on("close", () => database.destroy());
    database.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    cutNextAnswer: () => {
      isCutting = true;
    },
    refuse: () => void server.close(),
    listenAgain: () => new Promise((resolve) => server.listen(Number(url.port), "127.0.0.1", resolve)),
    get cuts() {
      return cuts;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
