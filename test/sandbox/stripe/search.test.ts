import { describe, expect, test } from "vitest";
import { fits, parseQuery, searchIds } from "./search.ts";
import { type SearchDocument, SearchIndex } from "./search-index.ts";

const document: SearchDocument = {
  id: "pi_1",
  created: 1000,
  amount: 500,
  currency: "usd",
  status: "succeeded",
  metadata: { order: "7", "it's": 'a "quote"' },
};

describe("queries", () => {
  test.each([
    ["metadata['order']:'7'", true],
    ['metadata["order"]:"7"', true],
    ["metadata['order']:'8'", false],
    ["-metadata['order']:'8'", true],
    ["metadata['none']:null", true],
    ["metadata['order']:null", false],
    ["metadata['order']~'7'", true],
    ["metadata['it\\'s']:'a \"quote\"'", true],
    ["status:'succeeded' AND currency:'usd'", true],
    ["status:'succeeded' currency:'eur'", false],
    ["status:'canceled' OR currency:'usd'", true],
    ["amount:500", true],
    ["amount>=500 AND amount<501", true],
    ["amount>500", false],
    ["created<=1000 created>999", true],
  ])("%s: %s", (query, expected) => {
    expect(fits(document, parseQuery(query))).toBe(expected);
  });
});

test("the index shows a change when its time has come, and then forgets what was", () => {
  const index = new SearchIndex();
  const intent = (order: string) => ({ ...document, metadata: { order } }) as never;
  const find = (order: string, nowMs: number) =>
    searchIds(index, parseQuery(`metadata['order']:'${order}'`), nowMs);
  index.note(intent("7"), 0, 100);
  expect(find("7", 99)).toEqual([]);
  expect(find("7", 100)).toEqual(["pi_1"]);
  index.note(intent("8"), 100, 100);
  expect(find("7", 150)).toEqual(["pi_1"]);
  expect(find("8", 200)).toEqual(["pi_1"]);
  expect(find("7", 200)).toEqual([]);
});
