import type { TenantReader } from "../../database/tenant-reader.ts";
import type { Clock } from "../../kernel/clock.ts";
import { homeOf, type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { dayOf } from "../domain/availability.ts";

/** Minor units, signed, net of fees. */
export type Position = {
  readonly currency: string;
  readonly pending: bigint;
  readonly available: bigint;
  readonly due: readonly { readonly on: string; readonly amount: bigint }[];
};

/** What a merchant is owed, by currency. */
export interface SettlementReads {
  positions(merchant: MerchantId): Promise<Position[]>;
}

const MAX_DUE_DAYS = 90;

export function createSettlementReads(reader: TenantReader, clock: Clock): SettlementReads {
  return {
    async positions(merchant) {
      const today = dayOf(clock.now());
      const [rows] = await reader.read(merchant, {
        text: `select currency, to_char(greatest(available_on, $3::date), 'YYYY-MM-DD') as day,
                      available_on > $3::date as future, sum(net)::bigint as amount
               from settlement.item where shard = $1 and merchant = $2
               group by 1, 2, 3 order by 1, 2`,
        parameters: [homeOf(merchant).shard, uuidOf(merchant), today],
      });
      const byCurrency = Map.groupBy(rows ?? [], (row) => row["currency"] as string);
      return [...byCurrency].map(([currency, days]) => {
        const future = days.filter((row) => row["future"] === true);
        const sum = (list: typeof days) => list.reduce((total, row) => total + (row["amount"] as bigint), 0n);
        return {
          currency,
          pending: sum(future),
          available: sum(days.filter((row) => row["future"] !== true)),
          due: future
            .slice(0, MAX_DUE_DAYS)
            .map((row) => ({ on: row["day"] as string, amount: row["amount"] as bigint })),
        };
      });
    },
  };
}
