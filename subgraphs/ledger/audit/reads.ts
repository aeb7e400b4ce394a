import { connectAs, type DatabaseUrl } from "../../database/pool.ts";
import type { DatabaseRow, TenantReader } from "../../database/tenant-reader.ts";
import { homeOf, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import { OPERATOR_BOOK } from "../accounts.ts";
import type { CanonicalTransfer } from "./canonical.ts";
import type { BatchHeader } from "./chain.ts";
import type { NamedTransfer } from "./proof.ts";

const COLUMNS = `t.shard, t.seq, t.id, t.kind, t.cause, t.debit, t.credit, t.amount, t.currency, t.pending, t.content,
  (extract(epoch from t.at) * 1000000)::bigint as at_micros`;

/** Every column of what a merchant's payment has posted, in order, with the accounts' names. */
export async function readPaymentRows(
  reader: TenantReader,
  merchant: MerchantId,
  payment: PaymentId,
): Promise<NamedTransfer[]> {
  const [rows] = await reader.read(merchant, {
    // Both bounds are columns for the sake of the primary key (sql/reads.ts).
    text: `select ${COLUMNS}, d.code as debit_code, d.operator as debit_operator,
                  c.code as credit_code, c.operator as credit_operator
           from (
             select commit, ledger.transfer_id(commit, 255) as last
             from ledger.payment_journal where shard = $1 and merchant = $2 and payment = $3 offset 0
           ) j
           cross join lateral (
             select * from ledger.transfer where shard = $1 and id > j.commit and id <= j.last offset 0
           ) t
           cross join lateral ledger.account_names($1, array[t.debit]) d
           cross join lateral ledger.account_names($1, array[t.credit]) c
           order by t.seq`,
    parameters: [homeOf(merchant).shard, uuidOf(merchant), uuidOf(payment)],
  });
  const account = (row: DatabaseRow, side: "debit" | "credit") => ({
    book: row[`${side}_operator`] === true ? OPERATOR_BOOK : uuidOf(merchant),
    code: row[`${side}_code`] as string,
  });
  return (rows ?? []).map((row) => ({
    row: transferFrom(row),
    debit: account(row, "debit"),
    credit: account(row, "credit"),
  }));
}

/** Reads whole batches, of whichever merchants, as the auditor may. */
export type BatchReader = {
  rowsOf(header: BatchHeader): Promise<CanonicalTransfer[]>;
  close(): Promise<void>;
};

export function createBatchReader(url: DatabaseUrl): BatchReader {
  const sql = connectAs("tessera_auditor", url, { connections: 1 });
  return {
    async rowsOf({ shard, firstSeq, count, atMicros }) {
      const at = new Date(Number(atMicros / 1_000n));
      const rows = await sql.unsafe(
        `select ${COLUMNS} from ledger.transfer t
         where t.at = $1 and t.shard = $2 and t.seq >= $3 and t.seq < $4 order by t.seq`,
        [at, shard, firstSeq as never, (firstSeq + BigInt(count)) as never],
        { prepare: true },
      );
      return rows.map(transferFrom);
    },
    close: () => sql.end({ timeout: 2 }),
  };
}

function transferFrom(row: DatabaseRow): CanonicalTransfer {
  return {
    shard: row["shard"] as number,
    seq: row["seq"] as bigint,
    id: row["id"] as string,
    kind: row["kind"] as number,
    cause: row["cause"] as number,
    debit: row["debit"] as bigint,
    credit: row["credit"] as bigint,
    amount: row["amount"] as bigint,
    currency: row["currency"] as string,
    pending: row["pending"] as string | null,
    atMicros: row["at_micros"] as bigint,
    content: row["content"] as bigint,
  };
}
