import { beforeEach, describe, expect, it } from "vitest";
import { readFragment, saveCredentials, takeOver } from "./credentials.ts";

/** A tab's storage, and the parts of a page that `takeOver` touches. */
function fakePage(hash: string) {
  const items = new Map<string, string>();
  const sessionStorage = {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  } as Storage;
  const shown: string[] = [];
  const history = {
    state: null,
    replaceState: (_: unknown, __: string, url: string) => void shown.push(url),
  };
  const location = { hash, pathname: "/explorer/", search: "" };
  const page = { sessionStorage, history, location } as unknown as Parameters<typeof takeOver>[0];
  return { page, items, shown, location };
}

it("reads what a launcher's link hands over", () => {
  expect(readFragment("#key=sk_1&token=tok_1")).toEqual({ key: "sk_1", token: "tok_1" });
  expect(readFragment("#token=%20tok_1%20")).toEqual({ token: "tok_1" });
  expect(readFragment("")).toBeNull();
  expect(readFragment("#section")).toBeNull();
});

describe("takeOver", () => {
  let tab: ReturnType<typeof fakePage>;
  beforeEach(() => {
    tab = fakePage("#key=sk_1&token=tok_1");
  });

  it("moves the key into the tab's storage and out of the address", () => {
    expect(takeOver(tab.page)).toEqual({ key: "sk_1", token: "tok_1" });
    expect(tab.shown).toEqual(["/explorer/"]);
    expect([...tab.items.values()]).toEqual(["sk_1", "tok_1"]);
  });

  it("finds them there after a reload, without a fragment", () => {
    takeOver(tab.page);
    tab.location.hash = "";
    expect(takeOver(tab.page)).toEqual({ key: "sk_1", token: "tok_1" });
    expect(tab.shown).toHaveLength(1);
  });

  it("does not keep one account's token with another account's key", () => {
    takeOver(tab.page);
    tab.location.hash = "#key=sk_2";
    expect(takeOver(tab.page)).toEqual({ key: "sk_2", token: "" });
    expect([...tab.items.values()]).toEqual(["sk_2"]);
  });

  it("takes a token alone beside the key that is there", () => {
    takeOver(tab.page);
    tab.location.hash = "#token=tok_2";
    expect(takeOver(tab.page)).toEqual({ key: "sk_1", token: "tok_2" });
  });
});

it("forgets what is emptied", () => {
  const { page, items } = fakePage("#key=sk_1&token=tok_1");
  takeOver(page);
  saveCredentials(page.sessionStorage, { key: "", token: "" });
  expect(items.size).toBe(0);
});
