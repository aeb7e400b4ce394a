import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { countRoundTrips } from "./round-trips.ts";
import { FrameReader, readStartup } from "./wire-frames.ts";

/** A message of Postgres's protocol: type, length, body. */
function message(type: string, body = ""): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

function startup(parameters: string): Buffer {
  const version = Buffer.from([0, 3, 0, 0]);
  return Buffer.concat([message("x", "....").subarray(1, 5), version, Buffer.from(parameters)]);
}

/** With its length put right. */
function startupOf(name: string): Buffer {
  const bytes = startup(`user\0postgres\0application_name\0${name}\0\0`);
  bytes.writeUInt32BE(bytes.length, 0);
  return bytes;
}

it("reads message types however the bytes are cut", () => {
  const bytes = Buffer.concat([
    message("B", "bind"),
    message("E"),
    message("S"),
    message("Q", "S".repeat(500)),
  ]);
  for (const size of [1, 2, 3, 4, 5, 7, 64, bytes.length]) {
    const types: string[] = [];
    const reader = new FrameReader((type) => types.push(type));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    expect(types.join("")).toBe("BESQ");
  }
});

it("reads whose a connection is, once its first message is whole", () => {
  const bytes = startupOf("tessera_committer");
  expect(readStartup(bytes.subarray(0, bytes.length - 1))).toBeNull();
  expect(readStartup(Buffer.concat([bytes, message("p")]))).toEqual({
    length: bytes.length,
    name: "tessera_committer",
  });
  const nameless = startup("user\0postgres\0\0");
  nameless.writeUInt32BE(nameless.length, 0);
  expect(readStartup(nameless)?.name).toBe("unnamed");
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that answers what a test tells it to, and the counter in front of it. */
async function counted() {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket.resume()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const counter = await countRoundTrips(new URL(`postgres://user:secret@127.0.0.1:${port}/tessera?a=b`));
  const client = connect(Number(counter.url.port), "127.0.0.1").resume();
  closing.push(
    () => client.destroy(),
    () => counter.close(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  return { counter, client, upstream: await accepted.promise };
}

it("counts a wait for an answer once, whatever was sent together", async () => {
  const { counter, client, upstream } = await counted();
  expect(counter.url.pathname + counter.url.search).toBe("/tessera?a=b");
  const ready = message("Z", "I");
  client.write(startupOf("tessera_risk"));
  upstream.write(ready); // the end of the start-up
  await sleep(30);
  // Four statements at once, the last while the first two are answered: one wait.
  client.write(Buffer.concat([message("B"), message("S"), message("S"), message("S")]));
  await sleep(30);
  upstream.write(Buffer.concat([ready, ready]));
  await sleep(30);
  client.write(message("S"));
  await sleep(30);
  upstream.write(Buffer.concat([ready, ready]));
  await sleep(30);
  // And one more after everything was answered.
  client.write(message("Q", "commit"));
  await sleep(30);
  expect(counter.take()).toEqual({ tessera_risk: 2 });
  expect(counter.take()).toEqual({});
});
