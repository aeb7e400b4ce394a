import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from "graphql";

/**
 * A validation rule that refuses documents deeper than `limit` fields, fragments followed. Fields of
 * introspection count as well: the explorer's own query is 13 deep.
 */
export function depthLimit(limit: number): ValidationRule {
  return (context: ValidationContext): ASTVisitor => ({
    OperationDefinition(operation) {
      const depths = new Map<FragmentDefinitionNode, number>();
      const depth = depthOf(operation.selectionSet, context, depths, new Set());
      if (depth <= limit) return;
      context.reportError(
        new GraphQLError(
          `The query is ${depth} levels deep; at most ${limit} are allowed. Ask for less at once.`,
          {
            nodes: operation,
            extensions: { code: "QUERY_TOO_DEEP" },
          },
        ),
      );
    },
  });
}

function depthOf(
  selectionSet: SelectionSetNode,
  context: ValidationContext,
  depths: Map<FragmentDefinitionNode, number>,
  open: Set<FragmentDefinitionNode>,
): number {
  let deepest = 0;
  for (const selection of selectionSet.selections) {
    let depth = 0;
    if (selection.kind === Kind.FIELD) {
      depth = 1 + (selection.selectionSet ? depthOf(selection.selectionSet, context, depths, open) : 0);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      depth = depthOf(selection.selectionSet, context, depths, open);
    } else {
      const fragment = context.getFragment(selection.name.value);
      // An unknown or circular fragment is another rule's to report.
      if (fragment && !open.has(fragment)) depth = fragmentDepth(fragment, context, depths, open);
    }
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Each fragment is measured once, so that fragments spread in one another cannot make this slow. */
function fragmentDepth(
  fragment: FragmentDefinitionNode,
  context: ValidationContext,
  depths: Map<FragmentDefinitionNode, number>,
  open: Set<FragmentDefinitionNode>,
): number {
  const known = depths.get(fragment);
  if (known !== undefined) return known;
  open.add(fragment);
  const depth = depthOf(fragment.selectionSet, context, depths, open);
  open.delete(fragment);
  depths.set(fragment, depth);
  return depth;
}
