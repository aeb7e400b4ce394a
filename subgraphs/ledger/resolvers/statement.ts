import { enumOf, moneyFields } from "../../api/scalars.ts";
import { journalOf, type MerchantId } from "../../kernel/ids.ts";
import type { AccountRecord, LineRecord, StatementPageRequest, StatementReads } from "../sql/statements.ts";
import { badInput, readInstantIfAny } from "./instants.ts";
import { balanceView } from "./views.ts";

/** Relay's cursor connection over an account's lines, newest first. A cursor is a line's position in its shard. */
export type StatementArguments = {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly from?: string | null;
  readonly to?: string | null;
};

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

export async function statementConnection(
  reads: StatementReads,
  merchant: MerchantId,
  account: AccountRecord,
  args: StatementArguments,
) {
  const request = pageRequest(args);
  const page = await reads.page(merchant, account, request);
  const older = request.direction === "older";
  const nodes = (older ? page.lines : page.lines.toReversed()).map(lineView);
  return {
    nodes,
    edges: nodes.map((node) => ({ cursor: node.cursor, node })),
    pageInfo: {
      hasNextPage: older ? page.more : page.before,
      hasPreviousPage: older ? page.before : page.more,
      startCursor: nodes[0]?.cursor ?? null,
      endCursor: nodes.at(-1)?.cursor ?? null,
    },
    completeThrough: page.projectedThrough,
  };
}

function pageRequest(args: StatementArguments): StatementPageRequest {
  const { first, after, last, before } = args;
  const forward = last === null || last === undefined;
  if (!forward && first !== null && first !== undefined) throw badInput("Give `first` or `last`, not both.");
  if (forward && before) throw badInput("`before` goes with `last`.");
  if (!forward && after) throw badInput("`after` goes with `first`.");
  const limit = (forward ? first : last) ?? DEFAULT_PAGE;
  if (limit < 1 || limit > MAX_PAGE) throw badInput(`A page is 1 to ${MAX_PAGE} lines.`);
  const [from, to] = [readInstantIfAny(args.from), readInstantIfAny(args.to)];
  if (from !== null && to !== null && from >= to) throw badInput("`from` is before `to`.");
  const cursor = readCursor(forward ? after : before);
  return { limit, cursor, direction: forward ? "older" : "newer", from, to };
}

const cursorOf = (seq: bigint): string => Buffer.from(`line:${seq}`).toString("base64url");

function readCursor(cursor: string | null | undefined): bigint | null {
  if (cursor === null || cursor === undefined) return null;
  const seq = /^line:(\d{1,18})$/.exec(Buffer.from(cursor, "base64url").toString("utf8"))?.[1];
  if (seq === undefined) throw badInput("This cursor is not one of ours: use a cursor as it was given.");
  return BigInt(seq);
}

const lineView = ({ seq, transfer, kind, cause, at, side, amount, balance }: LineRecord) => ({
  cursor: cursorOf(seq),
  transfer,
  journal: journalOf(transfer),
  kind: enumOf(kind),
  cause: enumOf(cause),
  at,
  side: enumOf(side),
  amount: moneyFields(amount),
  balance: balanceView(balance),
});
