import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RedisSandboxControl } from "./control-client.ts";
import { Keyspace } from "./keyspace.ts";
import { type RunningRedis, startRedisSandbox } from "./server.ts";

const token = "sandbox-token";
let running: RunningRedis;
let control: RedisSandboxControl;

beforeAll(async () => {
  running = await startRedisSandbox({ port: 0, token });
  control = new RedisSandboxControl(running.url);
});
beforeEach(() => control.reset());
afterAll(() => running.stop());

const client = (with_: string = token) =>
  new Redis({ url: running.url, token: with_, enableTelemetry: false, retry: { retries: 0 } });
const raw = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(running.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

describe("the published client", () => {
  it("writes, reads, counts and removes", async () => {
    const redis = client();
    expect(await redis.set("a", "ä value")).toBe("OK");
    expect(await redis.get("a")).toBe("ä value");
    expect(await redis.get("nothing")).toBeNull();
    expect(await redis.incr("n")).toBe(1);
    expect(await redis.exists("a", "n", "z")).toBe(2);
    expect(await redis.del("a", "z")).toBe(1);
    expect(await redis.get("a")).toBeNull();
  });

  it("sends several commands in one request, and hears of each", async () => {
    const before = (await control.keys()).served.requests;
    const answers = await client().pipeline().set("k", "v", { px: 5_000 }).get("k").pttl("k").exec();
    expect(answers).toEqual(["OK", "v", expect.any(Number)]);
    expect(answers[2]).toBeGreaterThan(4_000);
    expect((await control.keys()).served.requests).toBe(before + 1);
  });

  it("sets only what is not there, or only what is", async () => {
    const redis = client();
    expect(await redis.set("k", "1", { nx: true })).toBe("OK");
    expect(await redis.set("k", "2", { nx: true })).toBeNull();
    expect(await redis.set("k", "3", { xx: true })).toBe("OK");
    expect(await redis.get("k")).toBe(3);
    expect(await redis.set("other", "4", { xx: true })).toBeNull();
  });

  it("is refused without the token", async () => {
    await expect(client("wrong").get("k")).rejects.toThrow("WRONGPASS");
  });
});

describe("the wire", () => {
  it("takes a command in the path", async () => {
    expect(await (await raw("/set/foo/bar/EX/100")).json()).toEqual({ result: "OK" });
    expect(await (await raw("/get/foo")).json()).toEqual({ result: "bar" });
  });

  it("answers text in base64 where it is asked to", async () => {
    await raw("/", ["SET", "k", "äö"]);
    const answer = await raw("/", ["GET", "k"], { "upstash-encoding": "base64" });
    expect(await answer.json()).toEqual({ result: Buffer.from("äö").toString("base64") });
  });

  it("refuses what it does not understand", async () => {
    for (const [path, body] of [
      ["/", "not json"],
      ["/", { command: "GET" }],
      ["/pipeline", ["GET", "k"]],
      ["/", ["FLY", "k"]],
      ["/", ["SET", "k"]],
      ["/", ["SET", "k", "v", "EX", "soon"]],
    ] as const) {
      const answer = await raw(path, body);
      expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringMatching(/^ERR /) }]);
    }
    const several = await raw("/pipeline", [["SET", "k", "v"], ["FLY"], ["GET", "k"]]);
    expect(await several.json()).toEqual([
      { result: "OK" },
      { error: "ERR unknown command 'FLY'" },
      { result: "v" },
    ]);
  });
});

it("forgets a key when its time is over", () => {
  let now = 1_000;
  const keys = new Keyspace(() => now);
  keys.run(["SET", "k", "v", "PX", "100"]);
  keys.run(["SET", "stays", "v"]);
  expect([keys.run(["PTTL", "k"]), keys.run(["PTTL", "stays"]), keys.run(["PTTL", "none"])]).toEqual([
    100, -1, -2,
  ]);
  now += 100;
  expect([keys.run(["GET", "k"]), keys.run(["GET", "stays"])]).toEqual([null, "v"]);
  expect(keys.run(["SET", "k", "again", "NX"])).toBe("OK");
});

describe("switched to go wrong", () => {
  it("is down, and back", async () => {
    await control.settings({ down: true });
    await expect(client().get("k")).rejects.toThrow();
    await control.settings({ down: false });
    expect(await client().get("k")).toBeNull();
  });

  it("is slow", async () => {
    await control.settings({ latencyMs: 80 });
    const from = performance.now();
    await client().get("k");
    expect(performance.now() - from).toBeGreaterThan(75);
  });

  it("answers garbage", async () => {
    await client().set("k", "v");
    await client().set("z", "other");
    const answers: unknown[] = [];
    for (const garbage of ["json", "values", "endless", "mixed_up"] as const) {
      await control.settings({ garbage });
      answers.push(
        await (
          await raw("/pipeline", [
            ["GET", "k"],
            ["PTTL", "k"],
          ])
        ).json(),
      );
    }
    expect(answers).toEqual([
      { result: { unexpected: [1, 2, 3] } },
      [{ result: "bm90IHdoYXQgd2FzIHdyaXR0ZW4" }, { result: "bm90IHdoYXQgd2FzIHdyaXR0ZW4" }],
      [{ result: "v" }, { result: -1 }],
      [{ result: "other" }, { result: -1 }],
    ]);
    await control.settings({ garbage: "bytes" });
    await expect((await raw("/", ["GET", "k"])).json()).rejects.toThrow();
  });

  it("forgets", async () => {
    await client().set("k", "v");
    await control.forget();
    expect(await client().get("k")).toBeNull();
    await control.settings({ forgets: true });
    expect(await client().set("k", "v")).toBe("OK");
    expect(await client().get("k")).toBeNull();
  });

  it("limits requests", async () => {
    await control.settings({ requestsPerSecond: 1 });
    const statuses = await Promise.all([1, 2, 3].map(async () => (await raw("/", ["PING"])).status));
    expect(statuses).toContain(429);
  });

  it("says what it does not know", async () => {
    await expect(control.settings({ dwon: true } as object)).rejects.toThrow("unknown setting");
  });
});
