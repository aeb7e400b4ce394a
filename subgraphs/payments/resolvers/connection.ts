import { GraphQLError } from "graphql";
import type { MerchantId, PaymentId } from "../../kernel/ids.ts";
import { parseId } from "../../kernel/ids.ts";
import type { PaymentState } from "../domain/payment.ts";
import type { PageRequest, PaymentReads } from "../sql/reads.ts";
import { type PaymentView, paymentView } from "./views.ts";

/** Relay's cursor connection over payments, newest first. A cursor is opaque to clients: it is the payment's id. */
export type ConnectionArguments = {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly filter?: { readonly states?: readonly string[] | null } | null;
};

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

const badInput = (message: string) => new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } });

export async function paymentConnection(
  reads: PaymentReads,
  merchant: MerchantId,
  args: ConnectionArguments,
) {
  const request = pageRequest(args);
  // One more than asked tells whether there is more in that direction.
  const found = await reads.page(merchant, { ...request, limit: request.limit + 1 });
  const payments = found.slice(0, request.limit);
  const more = found.length > request.limit;
  if (request.direction === "newer") payments.reverse();
  const nodes = payments.map(paymentView);
  const older = request.direction === "older";
  return {
    nodes,
    edges: nodes.map((node) => ({ cursor: cursorOf(node), node })),
    pageInfo: {
      hasNextPage: older ? more : request.cursor !== null,
      hasPreviousPage: older ? request.cursor !== null : more,
      startCursor: edgeCursor(nodes[0]),
      endCursor: edgeCursor(nodes.at(-1)),
    },
  };
}

const cursorOf = (node: PaymentView): string => Buffer.from(node.id).toString("base64url");
const edgeCursor = (node: PaymentView | undefined) => (node === undefined ? null : cursorOf(node));

function pageRequest(args: ConnectionArguments): PageRequest {
  const { first, after, last, before, filter } = args;
  const forward = last === null || last === undefined;
  if (!forward && first !== null && first !== undefined) throw badInput("Give `first` or `last`, not both.");
  if (forward && before) throw badInput("`before` goes with `last`.");
  if (!forward && after) throw badInput("`after` goes with `first`.");
  const limit = (forward ? first : last) ?? DEFAULT_PAGE;
  if (limit < 1 || limit > MAX_PAGE) throw badInput(`A page is 1 to ${MAX_PAGE} payments.`);
  return {
    limit,
    cursor: readCursor(forward ? after : before),
    direction: forward ? "older" : "newer",
    states: filter?.states ? filter.states.map((state) => state.toLowerCase() as PaymentState) : null,
  };
}

function readCursor(cursor: string | null | undefined): PaymentId | null {
  if (cursor === null || cursor === undefined) return null;
  const id = parseId("pay", Buffer.from(cursor, "base64url").toString("utf8"));
  if (!id.ok) throw badInput("This cursor is not one of ours: use a cursor as it was given.");
  return id.value;
}
