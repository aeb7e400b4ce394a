import { expect, it } from "vitest";
import { homeFor, newId } from "../../kernel/ids.ts";
import { LONGEST_WINDOW_MS } from "../domain/duplicates.ts";
import { RecentUses } from "./recent-uses.ts";

const payment = () => newId("pay", homeFor(1, 7), new Date());

it("gives what was paid since then", () => {
  const recent = new RecentUses();
  const [a, b, other] = [payment(), payment(), payment()];
  recent.add("1", { payment: a, at: 100 });
  recent.add("1", { payment: b, at: 200 });
  recent.add("2", { payment: other, at: 200 });
  expect([
    recent.since("1", 100),
    recent.since("1", 101),
    recent.since("1", 201),
    recent.since("3", 0),
  ]).toEqual([[a, b], [b], [], []]);
});

it("forgets the oldest where there are too many, and what is older than any window", () => {
  const recent = new RecentUses(3);
  for (const what of ["1", "2", "3", "1", "4"]) recent.add(what, { payment: payment(), at: 100 });
  expect([recent.size, recent.since("2", 0).length, recent.since("1", 0).length]).toEqual([3, 0, 2]);
  recent.add("5", { payment: payment(), at: 101 + LONGEST_WINDOW_MS });
  expect(recent.size).toBe(1);
});

it("keeps a few of a card that is used over and over", () => {
  const recent = new RecentUses();
  for (let time = 0; time < 1_000; time++) recent.add("1", { payment: payment(), at: time });
  expect(recent.since("1", 0)).toHaveLength(10);
});
