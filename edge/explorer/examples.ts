/**
 * The examples: `examples/<name>.graphql`, whose first two comment lines are its title and what it shows, and
 * `examples/<name>.json` with its variables, if it has any. Variables may hold placeholders (placeholders.ts), so
 * that each example runs as it is, any number of times.
 */
export type Example = {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly kind: "query" | "mutation";
  /** The operation's name, which is also its tab's title. */
  readonly operation: string;
  readonly query: string;
  /** JSON, or "" if it takes none. */
  readonly variables: string;
};

/** In the order in which a payment lives. */
const ORDER = [
  "viewer",
  "authorize-payment",
  "capture-payment",
  "refund-payment",
  "void-payment",
  "payments",
  "payment",
  "create-checkout-session",
  "node",
];

// Vite reads these calls while it builds, so their arguments have to stand here as they are.
const queries = import.meta.glob<string>("./examples/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});
const variables = import.meta.glob<string>("./examples/*.json", {
  query: "?raw",
  import: "default",
  eager: true,
});

function example(name: string): Example {
  const text = queries[`./examples/${name}.graphql`] ?? "";
  const [head, title, about, kind, operation] = /^# (.+)\n# (.+)\n(query|mutation) (\w+)/.exec(text) ?? [];
  if (!head || !title || !about || !kind || !operation)
    throw new Error(`examples/${name}.graphql has to begin with two comments and a named operation`);
  return {
    name,
    title,
    about,
    kind: kind as Example["kind"],
    operation,
    // The list shows the comments; the editor has better use for the space.
    query: text.replace(/^(# .+\n)+/, "").trim(),
    variables: (variables[`./examples/${name}.json`] ?? "").trim(),
  };
}

export const EXAMPLES: readonly Example[] = ORDER.map(example);

/** Every file's path, so that a test can tell whether one is missing in the list. */
export const EXAMPLE_FILES: readonly string[] = [...Object.keys(queries), ...Object.keys(variables)];
