import { GraphQLError } from "graphql";
import { secretEntry } from "../../api/context.ts";
import { enumOf, moneyFields } from "../../api/scalars.ts";
import { type ExpressionError, render } from "../../kernel/expression/errors.ts";
import type { Identity } from "../../kernel/identity.ts";
import { issue } from "../domain/input-issue.ts";
import { presetRules } from "../domain/routing/preset.ts";
import { providersNamed, readRoutingRules } from "../domain/routing/rules.ts";
import type { CapabilityRow, CapableOperation } from "../routing/capability-matrix.ts";
import type { Routing } from "../routing/open-routing.ts";
import type { StoredRules } from "../routing/rules-store.ts";
import { MOST_REPLAYED, type Simulation } from "../routing/simulate.ts";
import { invalidInput } from "./results.ts";

/** Resolvers of what merchants see of routing and can change: fields of Query and Mutation. */
export function routingResolvers(routing: Routing) {
  return {
    Query: {
      capabilities: secretEntry((_, { method, country, currency, operation }: CapabilityArguments) =>
        routing
          .capabilities({
            method: method ?? null,
            country: country ?? null,
            currency: currency ?? null,
            operation: (operation?.toLowerCase() ?? null) as CapableOperation | null,
          })
          .map(capabilityView),
      ),
      routingRules: secretEntry(async (_, { version }: { version?: number | null }, { identity }) => {
        const { merchant } = identity;
        const stored = version
          ? await routing.store.version(merchant, version)
          : await routing.store.latest(merchant);
        return stored === null ? null : rulesView(stored);
      }),
      presetRoutingRules: secretEntry(() => presetRules(routing.providers)),
      simulateRouting: secretEntry((_, args: SimulateArguments, { identity }) =>
        simulate(routing, args, identity),
      ),
    },
    Mutation: {
      setRoutingRules: secretEntry((_, { input }: { input: SetRulesInput }, { identity }) =>
        setRules(routing, input, identity),
      ),
    },
  };
}

type CapabilityArguments = {
  readonly method?: string | null;
  readonly country?: string | null;
  readonly currency?: string | null;
  readonly operation?: string | null;
};
type SetRulesInput = {
  readonly idempotencyKey: string;
  readonly expectedVersion: number;
  readonly rules: string;
};
type SimulateArguments = {
  readonly rules: string;
  readonly from: string;
  readonly to: string;
  readonly first?: number | null;
};

const badInput = (message: string) => new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } });

async function setRules(routing: Routing, input: SetRulesInput, { merchant, requestId }: Identity) {
  const { idempotencyKey, expectedVersion, rules: text } = input;
  if (!/^[\x21-\x7e]{1,255}$/.test(idempotencyKey))
    return invalidInput([
      issue(["idempotencyKey"], "INVALID_KEY", "A key is 1 to 255 printable ASCII characters."),
    ]);
  if (expectedVersion < 0) throw badInput("Versions begin at 1; 0 means that there are no rules yet.");
  if (text.includes("\u0000"))
    return invalidInput([issue(["rules"], "REQUIRED", "The character U+0000 cannot be kept.")]);
  const read = readRoutingRules(text, routing.providers);
  if (!read.ok) return invalidRules(text, read.error);
  const { outcome, version } = await routing.store.store({
    merchant,
    expectedVersion,
    idempotencyKey,
    text,
    providers: providersNamed(read.value),
    actor: `secret key, request ${requestId}`,
  });
  switch (outcome) {
    case "stored": {
      routing.rules.changed(merchant);
      const stored = await routing.store.version(merchant, version);
      if (stored === null) throw new Error("invariant broken: rules that are stored can be read");
      return rulesView(stored);
    }
    case "version_conflict":
      return {
        __typename: "VersionConflict",
        message: `The rules are at version ${version} by now. Read them, and set yours again if they still hold.`,
        version,
      };
    case "key_reused":
      return {
        __typename: "IdempotencyKeyReused",
        message: "This idempotencyKey was used before with other rules or another version. Use a new key.",
      };
  }
}

function invalidRules(text: string, errors: readonly ExpressionError[]) {
  return {
    __typename: "InvalidRules",
    message: errors.map((error) => `Line ${error.line}, column ${error.column}: ${error.message}.`).join(" "),
    errors: errors.map((error) => ({ ...error, shown: render(text, error) })),
  };
}

const rulesView = ({ version, text, rules, actor, createdAt }: StoredRules) => ({
  __typename: "RoutingRules",
  version,
  text,
  rules: rules.rules.map((rule) => ({ name: rule.name, text: rule.text })),
  actor,
  createdAt,
});

const capabilityView = ({ operations, ...row }: CapabilityRow) => ({
  ...row,
  operations: operations.map(enumOf),
});

const DEFAULT_REPLAYED = 1_000;

async function simulate(routing: Routing, args: SimulateArguments, { merchant }: Identity) {
  const [from, to] = [momentOf(args.from, "from"), momentOf(args.to, "to")];
  if (from >= to) throw badInput("`from` lies before `to`.");
  const limit = args.first ?? DEFAULT_REPLAYED;
  if (limit < 1 || limit > MOST_REPLAYED)
    throw badInput(`A simulation replays 1 to ${MOST_REPLAYED} payments.`);
  const read = readRoutingRules(args.rules, routing.providers);
  if (!read.ok) return invalidRules(args.rules, read.error);
  return simulationView(await routing.simulate(merchant, read.value, { from, to, limit }));
}

function momentOf(text: string, name: string): Date {
  const at = new Date(text);
  // Years of four digits: what is before or after has no payments, and no id.
  if (typeof text !== "string" || !/^\d{4}-\d{2}-\d{2}T/.test(text) || Number.isNaN(at.getTime()))
    throw badInput(`\`${name}\` is an instant in ISO 8601, such as 2026-11-22T17:59:03Z.`);
  return at;
}

const simulationView = ({ lastPayment, costDifferences, examples, moved, ...rest }: Simulation) => ({
  __typename: "RoutingSimulation",
  ...rest,
  lastPayment,
  moved: moved.reduce((sum, { payments }) => sum + payments, 0),
  movedTo: moved,
  costDifferences: costDifferences.map(moneyFields),
  examples: examples.map(({ costDifference, ...example }) => ({
    ...example,
    costDifference: moneyFields(costDifference),
  })),
});
