import { describe, expect, it } from "vitest";
import type { KeyOwner } from "../app.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { KeyDirectory, KeyLookupFailed } from "./key-directory.ts";

const owner = { merchant: "mer_a", scope: "secret" } as unknown as KeyOwner;
const TTL = 30_000;

function setUp() {
  let time = 1_000_000;
  let asked = 0;
  let answer: () => Promise<KeyOwner | null> = async () => owner;
  const directory = new KeyDirectory(() => time);
  return {
    pass: (ms: number) => {
      time += ms;
    },
    asked: () => asked,
    answerWith: (next: typeof answer) => {
      answer = next;
    },
    find: (hash = "h") =>
      directory.owner(
        hash,
        TTL,
        () => {
          asked++;
          return answer();
        },
        () => undefined,
      ),
  };
}

describe("KeyDirectory", () => {
  it("trusts a known key for 30 s, and a revoked one not a moment longer", async () => {
    const keys = setUp();
    await keys.find();
    keys.answerWith(async () => null);
    keys.pass(TTL - 1);
    expect(await keys.find()).toBe(owner);
    keys.pass(1);
    expect(await keys.find()).toBeNull();
    expect(keys.asked()).toBe(2);
  });

  it("counts from when it asked, not from when it was answered", async () => {
    const keys = setUp();
    keys.answerWith(async () => {
      keys.pass(20_000);
      return owner;
    });
    await keys.find();
    keys.answerWith(async () => null);
    keys.pass(10_000);
    expect(await keys.find()).toBeNull();
  });

  it("does not prolong its trust by being asked", async () => {
    const keys = setUp();
    await keys.find();
    for (let i = 0; i < 29; i++) {
      keys.pass(1_000);
      await keys.find();
    }
    keys.pass(1_000);
    await keys.find();
    expect(keys.asked()).toBe(2);
  });

  it("believes that a key is unknown for 5 s only: it may just have been made", async () => {
    const keys = setUp();
    keys.answerWith(async () => null);
    expect(await keys.find()).toBeNull();
    keys.answerWith(async () => owner);
    keys.pass(4_999);
    expect(await keys.find()).toBeNull();
    keys.pass(1);
    expect(await keys.find()).toBe(owner);
  });

  it("asks once for all who ask at the same time, and tells all of them of a failure", async () => {
    const keys = setUp();
    expect(await Promise.all(Array.from({ length: 50 }, () => keys.find()))).toEqual(Array(50).fill(owner));
    expect(keys.asked()).toBe(1);
    keys.answerWith(async () => {
      throw new KeyLookupFailed("down");
    });
    const failed = await Promise.allSettled(Array.from({ length: 50 }, () => keys.find("other")));
    expect(failed.every(({ status }) => status === "rejected")).toBe(true);
    expect(keys.asked()).toBe(2);
    // A failure is no answer: the next request asks again.
    keys.answerWith(async () => owner);
    expect(await keys.find("other")).toBe(owner);
  });

  it("is not emptied of keys in use by made-up ones", async () => {
    const keys = setUp();
    await keys.find("used");
    keys.answerWith(async () => null);
    for (let i = 0; i < 10_001; i++) await keys.find(`made-up-${i}`);
    const before = keys.asked();
    expect(await keys.find("used")).toBe(owner);
    expect(keys.asked()).toBe(before);
  });

  it("does not let more than 256 look-ups begin at once", async () => {
    const keys = setUp();
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    keys.answerWith(() => gate.then(() => null));
    const many = Array.from({ length: 300 }, (_, at) => keys.find(`k${at}`));
    const settled = Promise.allSettled(many);
    release?.();
    expect((await settled).filter(({ status }) => status === "rejected")).toHaveLength(44);
    expect(keys.asked()).toBe(256);
  });
});

it("a BoundedCache drops what was used longest ago", () => {
  const cache = new BoundedCache<number>(2);
  cache.set("a", 1, 100);
  cache.set("b", 2, 100);
  expect(cache.get("a", 0)).toBe(1);
  cache.set("c", 3, 100);
  expect([cache.get("a", 0), cache.get("b", 0), cache.get("c", 0)]).toEqual([1, undefined, 3]);
  expect(cache.get("a", 100)).toBeUndefined();
  expect(cache.size).toBe(1);
});
