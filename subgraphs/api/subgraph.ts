import { buildSubgraphSchema } from "@apollo/subgraph";
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  Kind,
  parse,
  validate,
} from "graphql";
import { isTagged, type RequestContext } from "./context.ts";

// Resolvers by type and field, as graphql-tools takes them; their types are the schema's.
// oxlint-disable-next-line typescript/no-explicit-any
export type ResolverMap = Record<string, any>;

/** A subgraph that can run: its executable schema and a way to run documents over it. */
export type Subgraph = {
  readonly name: string;
  readonly schema: GraphQLSchema;
  readonly run: (request: SubgraphRequest, context: RequestContext) => Promise<ExecutionResult>;
};

export type SubgraphRequest = {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly operationName?: string | null | undefined;
};

/** The gateway sends few distinct documents; a stranger cannot make this grow. */
const MAX_DOCUMENTS = 2_000;

/**
 * Builds a subgraph and checks that every way into it says who may use it: all of Query, Mutation and every
 * entity's reference. What is forgotten fails here, at start, and not in production.
 */
export function createSubgraph(name: string, typeDefs: DocumentNode, resolvers: ResolverMap): Subgraph {
  const schema = buildSubgraphSchema([{ typeDefs, resolvers: scalarsIn(typeDefs, resolvers) }]);
  checkAccess(name, typeDefs, resolvers);
  const documents = new Map<string, DocumentNode>();
  return {
    name,
    schema,
    async run({ query, variables, operationName }, context) {
      let document = documents.get(query);
      if (document === undefined) {
        document = parse(query, { maxTokens: 10_000 });
        const errors = validate(schema, document);
        if (errors.length > 0) return { errors };
        if (documents.size >= MAX_DOCUMENTS) documents.clear();
        documents.set(query, document);
      }
      return execute({
        schema,
        document,
        contextValue: context,
        ...(variables === undefined ? {} : { variableValues: variables }),
        ...(operationName === undefined ? {} : { operationName }),
      });
    },
  };
}

function scalarsIn(typeDefs: DocumentNode, resolvers: ResolverMap): ResolverMap {
  const defined = new Set(
    typeDefs.definitions.flatMap((d) => (d.kind === Kind.SCALAR_TYPE_DEFINITION ? [d.name.value] : [])),
  );
  return Object.fromEntries(
    Object.entries(resolvers).filter(
      ([type, value]) => value.constructor?.name !== "GraphQLScalarType" || defined.has(type),
    ),
  );
}

function checkAccess(name: string, typeDefs: DocumentNode, resolvers: ResolverMap): void {
  const missing: string[] = [];
  for (const definition of typeDefs.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    const type = definition.name.value;
    const entries =
      type === "Query" || type === "Mutation"
        ? (definition.fields ?? []).map((field) => field.name.value)
        : definition.directives?.some(
              ({ name: { value }, arguments: args }) => value === "key" && !isUnresolvable(args),
            )
          ? ["__resolveReference"]
          : [];
    for (const entry of entries) {
      if (!isTagged(resolvers[type]?.[entry])) missing.push(`${type}.${entry}`);
    }
  }
  if (missing.length > 0)
    throw new Error(`subgraph ${name}: say who may use ${missing.join(", ")} (api/context.ts)`);
}

type DirectiveArguments = readonly {
  readonly name: { readonly value: string };
  readonly value: { readonly kind: string };
}[];

const isUnresolvable = (args: DirectiveArguments | undefined): boolean =>
  args?.some(
    ({ name, value }) => name.value === "resolvable" && (value as { value?: unknown }).value === false,
  ) ?? false;
