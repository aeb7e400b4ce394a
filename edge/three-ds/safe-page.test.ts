import { describe, expect, it } from "vitest";
import { payerAction } from "../checkout/payer-action.ts";
import { isSafePage } from "./safe-page.ts";

describe("where a payer may be sent", () => {
  it.each([
    ["https://acs.bank.example/challenge?a=b", true, true],
    ["http://127.0.0.1:8188/acs", false, true],
    ["http://localhost:8188/acs", false, true],
    ["http://[::1]:8188/acs", false, true],
    ["http://acs.bank.example/", false, false],
    ["http://127.0.0.1.evil.example/", false, false],
    ["javascript:alert(1)", false, false],
    ["JaVaScRiPt:alert(1)", false, false],
    ["data:text/html,x", false, false],
    ["https://acs.bank.example@evil.example/", false, false],
    ["//evil.example", false, false],
    ["", false, false],
  ])("%s: in production %s, in development %s", (address, production, development) => {
    expect([isSafePage(address, { loopback: false }), isSafePage(address, { loopback: true })]).toEqual([
      production,
      development,
    ]);
  });
});

describe("what a payer is told to do", () => {
  const edge = "https://api.example.com";
  it.each([
    [
      { type: "REDIRECT", url: "https://bank.example/a" },
      { type: "redirect", url: "https://bank.example/a" },
    ],
    [
      { type: "CHALLENGE", acsUrl: "https://bank.example/a", creq: "e30" },
      { type: "challenge", acsUrl: "https://bank.example/a", creq: "e30" },
    ],
    [
      { type: "DECOUPLED", until: "2026-11-22T12:00:00.000Z" },
      { type: "decoupled", until: new Date("2026-11-22T12:00:00Z") },
    ],
    [
      { type: "DECOUPLED", until: "soon" },
      { type: "decoupled", until: null },
    ],
    // What must not be opened, or is not known, is nothing to show.
    [{ type: "REDIRECT", url: "javascript:alert(1)" }, { type: "none" }],
    [{ type: "REDIRECT", url: "http://127.0.0.1/a" }, { type: "none" }],
    [{ type: "CHALLENGE", acsUrl: "javascript:alert(1)", creq: "e30" }, { type: "none" }],
    [{ type: "CHALLENGE", acsUrl: "https://bank.example/a", creq: null }, { type: "none" }],
    [{ type: "SOMETHING_NEW" }, { type: "none" }],
    [null, { type: "none" }],
  ])("%j", (told, expected) => {
    expect(payerAction(told, edge)).toEqual(expected);
  });

  it("takes http on this machine from an edge on this machine", () => {
    const told = { type: "REDIRECT", url: "http://127.0.0.1:8188/a" };
    expect(payerAction(told, "http://127.0.0.1:4000")).toMatchObject({ type: "redirect" });
  });
});
