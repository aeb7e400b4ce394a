import type { TenantReader } from "../../database/tenant-reader.ts";
import { homeOf, idFromUuid, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import type { Decision, Reason } from "../domain/rules.ts";

export type AssessmentRecord = {
  readonly decision: Decision;
  readonly score: number;
  readonly reasons: readonly Reason[];
  readonly degraded: boolean;
  readonly ruleset: string;
};

/** What decisions are read by, scoped to a merchant. */
export interface RiskReads {
  assessments(
    merchant: MerchantId,
    payments: readonly PaymentId[],
  ): Promise<Map<PaymentId, AssessmentRecord>>;
}

export function createRiskReads(reader: TenantReader): RiskReads {
  return {
    async assessments(merchant, payments) {
      const [rows] = await reader.read(merchant, {
        text: `select payment, decision, score, reasons, degraded, ruleset from risk.assessment
               where shard = $1 and merchant = $2 and payment = any ($3::text::uuid[])`,
        parameters: [homeOf(merchant).shard, uuidOf(merchant), `{${payments.map(uuidOf).join(",")}}`],
      });
      return new Map(
        (rows ?? []).map((row) => [
          idFromUuid("pay", row["payment"] as string),
          row as unknown as AssessmentRecord,
        ]),
      );
    },
  };
}
