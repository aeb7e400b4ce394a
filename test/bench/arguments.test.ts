import { describe, expect, it } from "vitest";
import { parseArguments, selectNames } from "./arguments.ts";

describe("the bench's arguments", () => {
  it("have defaults", () => {
    const expected = { json: null, only: [], rounds: 5, seconds: 3, profile: null };
    expect(parseArguments([])).toEqual({ ok: true, value: expected });
  });

  it("are read, also behind a -- that npm has not taken away", () => {
    const argv = [
      "--only",
      "a,b",
      "--only=c",
      "--rounds",
      "2",
      "--seconds",
      "0.5",
      "--json",
      "f",
      "--profile",
      "p",
    ];
    const value = { json: "f", only: ["a", "b", "c"], rounds: 2, seconds: 0.5, profile: "p" };
    expect(parseArguments(argv)).toEqual({ ok: true, value });
    expect(parseArguments(["--", ...argv])).toEqual({ ok: true, value });
  });

  it.each([
    [["--rounds", "0"], "--rounds"],
    [["--rounds", "1.5"], "--rounds"],
    [["--rounds", "many"], "--rounds"],
    [["--seconds", "0"], "--seconds"],
    [["--seconds", "x"], "--seconds"],
    [["--only", "a,,b"], "--only"],
    [["--ony", "a"], "--ony"],
    [["payment"], "payment"],
    [["--json"], "--json"],
  ])("are refused in words: %j", (argv, word) => {
    const parsed = parseArguments(argv);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? "" : parsed.error).toContain(word);
  });
});

describe("the rows that are asked for", () => {
  const names = ["tpcb.c8", "payment.core.c1", "payment.core.c16", "payment.edge.c16"];

  it("are all, if nothing is asked for", () => {
    expect(selectNames(names, [])).toEqual({ ok: true, value: names });
  });

  it("are without those that take long, unless they are asked for", () => {
    expect(selectNames(names, [], ["payment.core.c16"])).toEqual({
      ok: true,
      value: names.filter((name) => name !== "payment.core.c16"),
    });
    expect(selectNames(names, ["payment.core"], ["payment.core.c16"])).toEqual({
      ok: true,
      value: ["payment.core.c1", "payment.core.c16"],
    });
  });

  it("are those that begin so, in their own order", () => {
    const selected = selectNames(names, ["payment.edge", "payment.core"]);
    expect(selected).toEqual({ ok: true, value: names.slice(1) });
    expect(selectNames(names, ["payment.core.c16"])).toEqual({ ok: true, value: ["payment.core.c16"] });
  });

  it("are refused where a name begins nothing, and said to be which", () => {
    const selected = selectNames(names, ["payment.core", "payments"]);
    expect(selected.ok ? "" : selected.error).toContain('"payments"');
    expect(selected.ok ? "" : selected.error).toContain("payment.edge.c16");
  });
});
