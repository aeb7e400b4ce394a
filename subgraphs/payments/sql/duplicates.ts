import type { Sql } from "postgres";
import { connectAs, type DatabaseUrl } from "../../database/pool.ts";
import type { TenantReader } from "../../database/tenant-reader.ts";
import { homeOf, idFromUuid, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import type { OutboxEvent } from "../../ledger/commit.ts";
import { DEFAULT_POLICY, type DuplicatePolicy, lowestUuid } from "../domain/duplicates.ts";
import type { PaymentState } from "../domain/payment.ts";

export type UsedCard = {
  readonly merchant: MerchantId;
  readonly payment: PaymentId;
  readonly what: string;
  readonly at: Date;
  readonly windowMs: number;
};
export type Duplicate = {
  readonly merchant: MerchantId;
  readonly payment: PaymentId;
  readonly earlier: PaymentId;
};

/** Which payments are of the same card, amount and merchant. */
export interface Duplicates {
  policy(merchant: MerchantId): Promise<DuplicatePolicy>;
  /** The latest payments of `what` since then, the newest first. */
  since(merchant: MerchantId, what: string, since: Date): Promise<{ id: PaymentId; state: PaymentState }[]>;
  /** Of these and of what is like them those that are duplicates and not flagged. */
  among(used: readonly UsedCard[]): Promise<Duplicate[]>;
  /** Flags one and announces it; false if it was before. */
  flag(duplicate: Duplicate, event: OutboxEvent): Promise<boolean>;
  forgetOld(shards: readonly number[]): Promise<number>;
  close(): Promise<void>;
}

/** As many as `payments.has_other_use` looks at: what that guard sees is seen here, too. */
const MOST_READ = 50;

/** @param reader as tessera_payments; closed by whoever opened it */
export function createDuplicates(url: DatabaseUrl, reader: TenantReader): Duplicates {
  const sql: Sql = connectAs("tessera_recovery", url, { connections: 1 });
  const own = (merchant: MerchantId) => [homeOf(merchant).shard, uuidOf(merchant)] as const;
  return {
    async policy(merchant) {
      const [rows] = await reader.read(merchant, {
        text: "select window_minutes, refuse from payments.duplicate_policy where shard = $1 and merchant = $2",
        parameters: own(merchant),
      });
      const row = rows?.[0];
      if (row === undefined) return DEFAULT_POLICY;
      return { windowMs: Number(row["window_minutes"]) * 60_000, refuse: row["refuse"] === true };
    },
    async since(merchant, what, since) {
      const [rows] = await reader.read(merchant, {
        text: `select p.id, p.state from payments.card_use c
               join payments.payment p on p.shard = c.shard and p.merchant = c.merchant and p.id = c.payment
               where c.shard = $1 and c.merchant = $2 and c.what = $3::text::bigint and c.payment >= $4::text::uuid
               order by c.payment desc limit ${MOST_READ}`,
        parameters: [...own(merchant), what, lowestUuid(since)],
      });
      return (rows ?? []).map((row) => ({
        id: idFromUuid("pay", row["id"] as string),
        state: row["state"] as PaymentState,
      }));
    },
    async among(used) {
      const at =
        (shift: 1 | -1) =>
        ({ at: when, windowMs }: UsedCard) =>
          lowestUuid(new Date(when.getTime() + shift * windowMs));
      const rows = await sql.unsafe<{ merchant: string; payment: string; earlier: string }[]>(
        `select * from payments.find_duplicates($1::text::smallint[], $2::text::uuid[], $3::text::uuid[],
           $4::text::bigint[], $5::text::uuid[], $6::text::uuid[])`,
        [
          array(used, ({ merchant }) => homeOf(merchant).shard),
          array(used, ({ merchant }) => uuidOf(merchant)),
          array(used, ({ payment }) => uuidOf(payment)),
          array(used, ({ what }) => what),
          array(used, at(-1)),
          array(used, at(1)),
        ],
        { prepare: true },
      );
      return rows.map(({ merchant, payment, earlier }) => ({
        merchant: idFromUuid("mer", merchant),
        payment: idFromUuid("pay", payment),
        earlier: idFromUuid("pay", earlier),
      }));
    },
    async flag({ merchant, payment, earlier }, { id, type, body }) {
      const [row] = await sql.unsafe<{ flagged: boolean }[]>(
        "select payments.flag_duplicate($1, $2, $3, $4, $5, $6, $7::text::jsonb) as flagged",
        [...own(merchant), uuidOf(payment), uuidOf(earlier), uuidOf(id), type, JSON.stringify(body)],
        { prepare: true },
      );
      return row?.flagged === true;
    },
    async forgetOld(shards) {
      const [row] = await sql.unsafe<{ forgotten: bigint }[]>(
        "select payments.forget_card_uses($1::text::smallint[]) as forgotten",
        [array(shards, String)],
        { prepare: true },
      );
      return Number(row?.forgotten ?? 0);
    },
    close: () => sql.end({ timeout: 2 }),
  };
}

const array = <T>(all: readonly T[], of: (one: T) => string | number): string => `{${all.map(of).join(",")}}`;
