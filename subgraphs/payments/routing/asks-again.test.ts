import { expect, it } from "vitest";
import { readRoutingRules } from "../domain/routing/rules.ts";
import { createRouter } from "./create-router.ts";
import { createProviders } from "./router.ts";
import { sampleFacts, sampleProvider } from "./samples.ts";

const NAMES = ["page", "direct"];

function choose(rules: string | null, facts = sampleFacts()) {
  const read = readRoutingRules(rules ?? "", NAMES);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const providers = createProviders([
    sampleProvider("page", { directCards: false }),
    sampleProvider("direct"),
  ]);
  const own = { version: 1, rules: read.value };
  const router = createRouter(providers, {
    rules: rules === null ? null : { ready: async () => {}, of: () => own, changed: () => {} },
    random: () => 1,
  });
  const { provider, reason } = router.choose(facts, []);
  return [provider, reason.candidates.find((one) => one.provider === "page")?.excluded];
}

it("a card that was typed is not asked for again on a provider's page, unless a rule wants that provider", () => {
  expect(choose(null)).toEqual(["direct", "asks_again"]);
  expect(choose("prefer page")).toEqual(["page", null]);
  expect(choose("only page")).toEqual(["page", null]);
});

it("a provider with a page needs a payer who can be sent there", () => {
  expect(choose("only page", sampleFacts({ canRedirect: false }))).toEqual([null, "needs_payer"]);
  expect(choose("only page", sampleFacts({ payerPresent: false }))).toEqual([null, "needs_payer"]);
});
