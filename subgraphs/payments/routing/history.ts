import type { DatabaseRow, TenantReader } from "../../database/tenant-reader.ts";
import { isCurrency } from "../../kernel/currency.ts";
import { homeOf, idFromUuid, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { invariant } from "../../kernel/result.ts";
import type { AnswerDetails } from "../domain/operation.ts";
import type { CaptureMethod, Card } from "../domain/payment.ts";
import type { Funding } from "../domain/routing/facts.ts";
import type { PastAttempt } from "../domain/routing/retrace.ts";
import { reasonFrom } from "../domain/routing/stored-reason.ts";
import type { StoredCredential } from "../domain/stored-credential.ts";

export type Remembered = PastAttempt & { readonly payment: PaymentId };

export type Period = {
  /** Payments that were asked for from here, */
  readonly from: Date;
  /** and before here. */
  readonly to: Date;
  readonly limit: number;
};

/** Payments' first attempts in a period, oldest first, of the merchant alone; 3-D Secure before one is no attempt. */
export type ReadHistory = (merchant: MerchantId, period: Period) => Promise<readonly Remembered[]>;

/**
 * Reads by payments' ids, which are UUIDv7 and so in the order of time, along the primary key.
 * @param reader under row security, as tessera_payments
 */
export const createHistory =
  (reader: TenantReader): ReadHistory =>
  async (merchant, { from, to, limit }) => {
    const [rows] = await reader.read(merchant, {
      text: `select distinct on (o.payment) o.payment, o.provider, o.routing, done.details, done.id is not null as succeeded,
               p.amount, p.currency, p.capture_method, t.card, t.stored
             from payments.operation o
             join payments.payment p on p.shard = o.shard and p.merchant = o.merchant and p.id = o.payment
             join payments.payment_terms t on t.shard = o.shard and t.merchant = o.merchant and t.id = o.payment
             left join payments.operation done
               on done.shard = o.shard and done.merchant = o.merchant and done.payment = o.payment
               and done.kind = 'authorize' and done.state = 'succeeded' and done.provider = o.provider
             where o.shard = $1 and o.merchant = $2 and o.payment >= $3::uuid and o.payment < $4::uuid
               and o.kind = 'authorize' and o.routing is not null
             order by o.payment, o.attempt, o.id limit $5`,
      parameters: [homeOf(merchant).shard, uuidOf(merchant), firstUuidAt(from), firstUuidAt(to), limit],
    });
    return (rows ?? []).map((row) => rememberedFrom(row, merchant)).filter((past) => past !== null);
  };

/** The least UUIDv7 of a moment: 48 bits of milliseconds come first (RFC 9562). */
function firstUuidAt(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

function rememberedFrom(row: DatabaseRow, merchant: MerchantId): Remembered | null {
  const reason = reasonFrom(row["routing"]);
  if (reason === null) return null;
  const currency = row["currency"] as string;
  invariant(isCurrency(currency), "a stored currency is one of ours");
  const card = row["card"] as Card;
  const details = row["details"] as AnswerDetails | null;
  const stored = row["stored"] as StoredCredential | null;
  const amount = moneyOf(row["amount"] as bigint, currency);
  return {
    payment: idFromUuid("pay", row["payment"] as string),
    provider: row["provider"] as string,
    reason,
    succeeded: row["succeeded"] as boolean,
    facts: {
      merchant,
      amount,
      captureMethod: row["capture_method"] as CaptureMethod,
      card,
      cardCountry: reason.cardCountry,
      payerCountry: reason.payerCountry,
      stored,
      payerPresent: stored?.initiator !== "merchant",
      canRedirect: stored?.initiator !== "merchant",
    },
    costFacts: {
      amount,
      card,
      cardCountry: details?.issuerCountry ?? reason.cardCountry,
      cardFunding: fundingOf(details),
    },
  };
}

const fundingOf = (details: AnswerDetails | null): Funding | null =>
  details === null || details.funding === "unknown" ? null : details.funding;
