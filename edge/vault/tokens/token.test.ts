import { expect, it } from "vitest";
import { newToken, parseToken, SHARDS, shardOf, type Token } from "./token.ts";

it("is random and carries only its region", () => {
  const tokens = Array.from({ length: 1000 }, () => newToken("2a"));
  expect(new Set(tokens).size).toBe(1000);
  for (const token of tokens) expect(token).toMatch(/^tok_2a_[0-9A-Za-z]{32}$/);
});

it("is parsed strictly", () => {
  const token = newToken("01");
  expect(parseToken(token)).toBe(token);
  for (const text of [
    "",
    null,
    undefined,
    "tok_01_",
    `${token}x`,
    token.toUpperCase(),
    `${token}\n`,
    ` ${token}`,
  ])
    expect(parseToken(text)).toBeNull();
});

it("spreads over all shards evenly", () => {
  const counts = Array.from({ length: SHARDS }, () => 0);
  for (let i = 0; i < 51_200; i++) counts[shardOf(newToken("01"))]!++;
  // 200 each; six standard deviations either way.
  expect(Math.min(...counts)).toBeGreaterThan(115);
  expect(Math.max(...counts)).toBeLessThan(285);
});

it("keeps its shard for ever", () => {
  const shards = ["a", "b", "Z", "0"].map((character) => shardOf(`tok_01_${character.repeat(32)}` as Token));
  expect(shards).toEqual([37, 125, 32, 238]);
});
