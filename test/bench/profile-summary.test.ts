import { expect, it } from "vitest";
import { type CpuProfile, renderProfile, summarizeProfile } from "./profile-summary.ts";

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame("(root)", ""), children: [2, 3, 4, 7] },
    { id: 2, callFrame: frame("(idle)", "") },
    { id: 3, callFrame: frame("(garbage collector)", "") },
    { id: 4, callFrame: frame("authorize", "file:///p/subgraphs/payments/flow/authorize.ts"), children: [5] },
    { id: 5, callFrame: frame("parse", "file:///p/node_modules/a/node_modules/@b/zod/x.js"), children: [6] },
    { id: 6, callFrame: frame("now", "") },
    { id: 7, callFrame: frame("onread", "node:internal/streams/readable") },
  ],
  samples: [2, 3, 4, 5, 6, 7, 2],
  // What comes after a sample is what its node took.
  timeDeltas: [0, 50_000, 10_000, 20_000, 30_000, 25_000, 15_000],
};

it("gives shares of the time that the process was busy", () => {
  const { busyMs, groups, functions, callers } = summarizeProfile(profile, "/p");
  expect(busyMs).toBe(100);
  expect(groups).toEqual([
    { name: "npm @b/zod", share: 0.3 },
    { name: "native", share: 0.25 },
    { name: "subgraphs/payments", share: 0.2 },
    { name: "node:internal/streams", share: 0.15 },
    { name: "(garbage collector)", share: 0.1 },
  ]);
  expect(functions[0]).toEqual({ name: "parse  npm @b/zod x.js:10", share: 0.3 });
  expect(callers).toEqual([
    { name: "subgraphs/payments/flow/authorize.ts authorize", share: 0.75 },
    { name: "(none of ours on the stack)", share: 0.25 },
  ]);
});

it("is written for people", () => {
  expect(renderProfile(summarizeProfile(profile, "/p"))).toContain("30.0 %  npm @b/zod");
});
