import type { ApolloServerPlugin, BaseContext } from "@apollo/server";
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
} from "graphql";

/**
 * Refuses documents deeper than `limit` fields before they are planned. Fields of introspection count as well:
 * the explorer's own query is 13 deep.
 */
export function depthLimit<C extends BaseContext>(limit: number): ApolloServerPlugin<C> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operation, request }) {
          // Apollo leaves this to the gateway, which answers as if it were our fault.
          if (!operation) throw noOperation(request.operationName);
          const depth = depthOf(document);
          if (depth <= limit) return;
          const message = `The query is ${depth} levels deep; at most ${limit} are allowed. Ask for less at once.`;
          throw new GraphQLError(message, { extensions: { code: "QUERY_TOO_DEEP", http: { status: 400 } } });
        },
      };
    },
  };
}

function noOperation(name: string | null | undefined): GraphQLError {
  const message = name
    ? `Unknown operation named "${name}".`
    : "Name the operation to run: there are several.";
  return new GraphQLError(message, {
    extensions: { code: "OPERATION_RESOLUTION_FAILURE", http: { status: 400 } },
  });
}

/** The longest chain of fields in a valid document, fragments followed. */
export function depthOf(document: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  // Each fragment is measured once, so that fragments spread in one another cannot make this slow.
  const measured = new Map<string, number>();
  const fragmentDepth = (name: string): number => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    measured.set(name, 0); // Valid documents have no circles; one that had would end here.
    const fragment = fragments.get(name);
    const depth = fragment === undefined ? 0 : selectionDepth(fragment.selectionSet);
    measured.set(name, depth);
    return depth;
  };
  const selectionDepth = ({ selections }: SelectionSetNode): number => {
    let deepest = 0;
    for (const selection of selections) {
      let depth: number;
      if (selection.kind === Kind.FIELD) {
        depth = 1 + (selection.selectionSet === undefined ? 0 : selectionDepth(selection.selectionSet));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        depth = selectionDepth(selection.selectionSet);
      } else {
        depth = fragmentDepth(selection.name.value);
      }
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  };
  return Math.max(
    0,
    ...document.definitions.map((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? selectionDepth(definition.selectionSet) : 0,
    ),
  );
}
