/**
 * What `node cli/run.mjs <command>` can do: the script that Node 24 runs, from the project's root, followed by
 * its first arguments; the user's arguments come after them. To add a command, add a line. `bare` commands need
 * no dependency but Node 24, and run with whatever node_modules holds.
 *
 * @type {Readonly<Record<string, { readonly argv: readonly string[], readonly about: string, readonly bare?: true }>>}
 */
export const commands = {
  start: { argv: ["regions/dev/start.ts"], about: "the whole platform on this machine" },
  test: { argv: ["cli/test.ts"], about: "types, then all tests (arguments go to vitest)" },
  bench: { argv: ["test/bench/main.ts"], about: "benchmarks" },
  tokenize: { argv: ["cli/tokenize.ts"], about: "a token for a card, as a browser would get it" },
  "audit:verify": {
    argv: ["cli/audit-verify.ts"],
    about: "check that the ledger is as it was written ([--shard N] [--from ISO] [--to ISO])",
  },
  "ledger:reconcile": {
    argv: ["cli/ledger-reconcile.ts"],
    about: "compare ledger, payments and outbox ([--from ISO] [--to ISO] [--shards 0-15])",
  },
  simulate: {
    argv: ["test/simulator/main.ts"],
    about:
      "payments over all providers while everything goes wrong, then every book compared ([--seed N] [--payments N])",
  },
  lint: { argv: ["cli/lint.ts"], about: "format, imports and type-aware rules, without changing a file" },
  format: {
    argv: ["node_modules/@biomejs/biome/bin/biome", "check", "--write"],
    about: "format the code and sort its imports",
  },
  typecheck: { argv: ["cli/typecheck.ts"], about: "check the types of every part" },
  compose: {
    argv: ["schema/compose.ts"],
    about: "compose the subgraphs' schemas into schema/supergraph.graphql",
  },
  lock: { argv: ["cli/lock.mjs"], about: "bring package-lock.json up to date with package.json", bare: true },
};

/** @returns {string} the commands and what they do, a line each */
export function usage() {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return ["usage: node cli/run.mjs <command> [arguments]", "", ...lines].join("\n");
}
