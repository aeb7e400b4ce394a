import { describe, expect, it } from "vitest";
import { hashApiKey, newApiKey, parseApiKey } from "./api-key.ts";
import { homeFor, homeOf, idFromUuid, kindOf, newId, parseId, uuidOf } from "./ids.ts";

const home = { region: 1, shard: 0xa7 };

describe("ids", () => {
  it("carry their home and their time", () => {
    const id = newId("pay", home, new Date("2026-11-22T12:00:00Z"));
    expect(homeOf(id)).toEqual(home);
    expect(uuidOf(id)).toMatch(/^01a[0-9a-f]{5}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(uuidOf(id).replace("-", "").slice(0, 12), 16)).toBe(
      Date.parse("2026-11-22T12:00:00Z"),
    );
  });

  it("sort by time of creation, as text and as UUID", () => {
    const ids = [1, 2, 3].map((day) => newId("pay", home, new Date(Date.UTC(2026, 10, day))));
    expect([...ids].sort()).toEqual(ids);
    expect(ids.map(uuidOf).sort()).toEqual(ids.map(uuidOf));
  });

  it("are all different", () => {
    const at = new Date();
    expect(new Set(Array.from({ length: 20_000 }, () => newId("pay", home, at))).size).toBe(20_000);
  });

  it("go to a UUID and back", () => {
    const id = newId("op", home, new Date());
    expect(idFromUuid("op", uuidOf(id))).toBe(id);
    expect(parseId("op", id)).toEqual({ ok: true, value: id });
    expect(kindOf(id)).toBe("op");
  });

  it.each([
    "",
    "pay",
    "pay_",
    "pay_01k9",
    "op_01jz5y4d9fexy9z1c8k2m3n4p5",
    "pay_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "pay_01JZ5Y4D9FEXY9Z1C8K2M3N4P5",
    "pay_01jz5y4d9fexy9z1c8k2m3n4p5x",
    "pay_01jz5y4d9fexy9z1c8k2m3n4pu",
    "__proto__",
  ])("refuse %j", (text) => {
    expect(parseId("pay", text)).toEqual({ ok: false, error: { code: "INVALID_ID" } });
  });

  it("have homes of one byte each", () => {
    expect(() => homeFor(256, 0)).toThrow();
    expect(() => homeFor(0, -1)).toThrow();
    expect(() => homeFor(0, 1.5)).toThrow();
  });
});

describe("API keys", () => {
  it("say their scope and home", () => {
    expect(parseApiKey(newApiKey("secret", home))).toEqual({ scope: "secret", home });
    expect(parseApiKey(newApiKey("publishable", home))).toEqual({ scope: "publishable", home });
  });

  it("are refused when one character is changed", () => {
    const key = newApiKey("secret", home);
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === "0" ? "1" : "0";
      expect(parseApiKey(key.slice(0, at) + other + key.slice(at + 1)), `at ${at}`).toBeNull();
    }
  });

  it("are known by a hash that does not contain them", async () => {
    const key = newApiKey("secret", home);
    expect(await hashApiKey(key)).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashApiKey(key)).toBe(await hashApiKey(key));
    expect(await hashApiKey(newApiKey("secret", home))).not.toBe(await hashApiKey(key));
  });
});
