import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { connectWire, ServerError } from "./client.ts";
import { message } from "./messages.ts";
import { scramClient } from "./scram.ts";

describe("SCRAM-SHA-256", () => {
  /** The exchange of RFC 7677, section 3. */
  const exchange = () => scramClient("pencil", "rOprNGfwEbeRWgbNEkqO", "user");
  const serverFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  const serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

  it("answers as the RFC's example does", () => {
    const client = exchange();
    expect(client.first).toBe("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    expect(client.final(serverFirst)).toBe(
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    );
    client.verify(serverFinal);
  });

  it("believes no server that lacks the password, or takes up another nonce", () => {
    const client = exchange();
    expect(() => client.verify(serverFinal)).toThrow("does not know the password");
    expect(() => client.final(serverFirst.replace("r=rO", "r=xO"))).toThrow("nonce");
    expect(() => client.final("r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=1")).toThrow("nonce");
    client.final(serverFirst);
    expect(() => client.verify(serverFinal.replace("6rri", "7rri"))).toThrow("does not know the password");
  });
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const READY = message("Z", Buffer.from("I"));
const WELCOME = Buffer.concat([message("R", int32(0)), message("S", Buffer.from("a\0b\0")), READY]);

/** A server that lets everyone in and answers each write with what `answer` makes of it, `cut` bytes at a time. */
async function server(answer: (sent: Buffer, turn: number) => Buffer | null, cut = 65_536): Promise<URL> {
  let turn = 0;
  const listener = createServer({ noDelay: true }, (socket: Socket) => {
    closing.push(() => socket.destroy());
    socket.on("error", () => {});
    socket.on("data", (sent: Buffer) => {
      const reply = turn === 0 ? WELCOME : answer(sent, turn);
      turn++;
      if (reply === null) socket.destroy();
      else void writeCut(socket, reply, cut);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => listener.close(resolve)));
  return new URL(
    `postgres://someone:pass%20word@127.0.0.1:${(listener.address() as AddressInfo).port}/there`,
  );
}

async function writeCut(socket: Socket, reply: Buffer, cut: number): Promise<void> {
  for (let at = 0; at < reply.length; at += cut) {
    socket.write(reply.subarray(at, at + cut));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A DataRow; null stays null. */
function row(...columns: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(columns.length);
  const fields = columns.map((one) =>
    one === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(one)), Buffer.from(one)]),
  );
  return message("D", count, ...fields);
}

describe("a connection", () => {
  it("parses once, then binds, executes and syncs in one write", async () => {
    const writes: Buffer[] = [];
    const wire = await connectWire(
      await server((sent) => {
        writes.push(Buffer.from(sent));
        return READY;
      }),
    );
    const statement = await wire.prepare("select $2, $1");
    await wire.run(statement, -120, "é");
    await wire.run(statement, null, 0);
    const [parse, first, second] = writes.map((bytes) => bytes.toString("latin1"));
    expect(parse).toBe(`P${"\0\0\0\x17"}s1\0select $2, $1\0\0\0S\0\0\0\x04`);
    const tail = "\0\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04";
    expect(first).toBe(`B\0\0\0\x1c\0s1\0\0\0\0\x02\0\0\0\x04-120\0\0\0\x02\xc3\xa9${tail}`);
    expect(second).toBe(`B\0\0\0\x17\0s1\0\0\0\0\x02\xff\xff\xff\xff\0\0\0\x010${tail}`);
    await expect((async () => wire.run(statement, 1))()).rejects.toThrow("2 parameters");
    await wire.close();
  });

  it.each([1, 2, 3, 5, 7, 4_096])("reads answers that come %i bytes at a time", async (cut) => {
    const answer = Buffer.concat([
      row("1", null, "zwei €"),
      row("2", "", ""),
      message("C", Buffer.from("SELECT 2\0")),
      READY,
    ]);
    const wire = await connectWire(await server((_, turn) => (turn === 1 ? READY : answer), cut));
    const statement = await wire.prepare("select");
    expect(await wire.first(statement)).toEqual(["1", null, "zwei €"]);
    expect(await wire.first(statement)).toEqual(["1", null, "zwei €"]);
    expect(await wire.run(statement)).toBeNull();
    await wire.close();
  });

  it("says what the server refuses, and goes on", async () => {
    const refusal = Buffer.concat([message("E", Buffer.from("SERROR\0C23505\0Mtaken\0\0")), READY]);
    const wire = await connectWire(await server((_, turn) => (turn === 2 ? refusal : READY)));
    const statement = await wire.prepare("insert");
    const error = await wire.run(statement).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ message: "taken", code: "23505" });
    expect(await wire.first(statement)).toBeNull();
    await wire.close();
  });

  it("fails what waits when it is lost, and everything after", async () => {
    const wire = await connectWire(await server((_, turn) => (turn === 1 ? READY : null)));
    const statement = await wire.prepare("select");
    await expect(wire.run(statement)).rejects.toThrow();
    await expect(wire.run(statement)).rejects.toThrow();
    await wire.close();
  });

  it("refuses a second statement before the first is answered", async () => {
    const wire = await connectWire(await server(() => READY));
    const statement = await wire.prepare("select");
    const [first, second] = await Promise.allSettled([wire.run(statement), wire.run(statement)]);
    expect([first?.status, second?.status]).toEqual(["fulfilled", "rejected"]);
    await wire.close();
  });
});
