import { describe, expect, it, vi } from "vitest";
import { newId } from "../../kernel/ids.ts";
import { readRoutingRules } from "../domain/routing/rules.ts";
import { type CompiledRules, createRulesCache } from "./rules-cache.ts";

const merchantOf = (shard: number) => newId("mer", { region: 1, shard }, new Date());
const [one, two, three] = [merchantOf(1), merchantOf(2), merchantOf(3)] as const;
const version = (number: number): CompiledRules => {
  const read = readRoutingRules("never a", ["a"]);
  if (!read.ok) throw new Error("wrong");
  return { version: number, rules: read.value };
};

function cache(over: { merchants?: number } = {}) {
  const clock = { now: 0 };
  const load = vi.fn(async (): Promise<CompiledRules | "same" | null> => version(1));
  const onStale = vi.fn();
  const rules = createRulesCache({ load, now: () => clock.now, onStale, freshMs: 5_000, ...over });
  return { clock, load, onStale, rules };
}

describe("rules at hand", () => {
  it("are read once, and again once they are old", async () => {
    const { clock, load, rules } = cache();
    expect(rules.of(one)).toBeUndefined();
    await Promise.all([rules.ready(one), rules.ready(one)]);
    await rules.ready(one);
    expect(rules.of(one)?.version).toBe(1);
    expect(load.mock.calls).toEqual([[one, 0]]);
    clock.now = 4_999;
    await rules.ready(one);
    expect(load).toHaveBeenCalledTimes(1);
    clock.now = 5_000;
    load.mockResolvedValueOnce(version(2));
    await rules.ready(one);
    expect(load).toHaveBeenLastCalledWith(one, 1);
    expect(rules.of(one)?.version).toBe(2);
    clock.now = 10_000;
    load.mockResolvedValueOnce("same");
    await rules.ready(one);
    expect(rules.of(one)?.version).toBe(2);
  });

  it("are read at once after they were changed here, and stay at hand until then", async () => {
    const { load, rules } = cache();
    await rules.ready(one);
    rules.changed(one);
    expect(rules.of(one)?.version).toBe(1);
    load.mockResolvedValueOnce(version(2));
    await rules.ready(one);
    expect(rules.of(one)?.version).toBe(2);
  });

  it("are read once more if they change while they are read", async () => {
    const { load, rules } = cache();
    const old = Promise.withResolvers<CompiledRules>();
    load.mockReturnValueOnce(old.promise);
    load.mockResolvedValueOnce(version(2));
    const first = rules.ready(one);
    rules.changed(one);
    old.resolve(version(1));
    await first;
    expect(rules.of(one)?.version).toBe(2);
  });

  it("are none where the merchant has none", async () => {
    const { load, rules } = cache();
    load.mockResolvedValueOnce(null);
    await rules.ready(one);
    expect(rules.of(one)).toBeNull();
  });

  it("that were never read are not taken for none", async () => {
    const { load, rules } = cache();
    load.mockRejectedValueOnce(new Error("no database"));
    await expect(rules.ready(one)).rejects.toThrow("no database");
    await rules.ready(one);
    expect(rules.of(one)?.version).toBe(1);
  });

  it("stay as they were if they cannot be read anew", async () => {
    const { clock, load, onStale, rules } = cache();
    await rules.ready(one);
    clock.now = 5_000;
    load.mockRejectedValueOnce(new Error("no database"));
    await rules.ready(one);
    expect(rules.of(one)?.version).toBe(1);
    expect(onStale).toHaveBeenCalledTimes(1);
  });

  it("are forgotten of whoever was not asked for longest", async () => {
    const { clock, rules } = cache({ merchants: 2 });
    await rules.ready(one);
    await rules.ready(two);
    clock.now = 5_000;
    await rules.ready(one);
    await rules.ready(three);
    expect([one, two, three].map((merchant) => rules.of(merchant)?.version)).toEqual([1, undefined, 1]);
  });
});
