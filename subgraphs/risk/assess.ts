import type { TenantReader } from "../database/tenant-reader.ts";
import { homeOf, type MerchantId, type PaymentId, uuidOf } from "../kernel/ids.ts";
import type { Money } from "../kernel/money.ts";
import type { Row } from "../ledger/commit.ts";
import { type Duplicates, type Facts, type Judgement, judge, type ListHit, RULESET } from "./domain/rules.ts";

export type { Decision } from "./domain/rules.ts";

/** What a decision is made from. The payer's part is what the merchant or the checkout told; null if nothing. */
export type AssessmentInput = {
  readonly merchant: MerchantId;
  readonly amount: Money;
  readonly card: { readonly bin: string; readonly fingerprint: string };
  readonly payer: {
    readonly ip: string | null;
    /** ISO 3166-1 alpha-2. */
    readonly country: string | null;
    readonly email: string | null;
  };
  /** What payments know of earlier ones of the same; absent if nobody has looked. */
  readonly duplicates?: Duplicates;
};

/** `degraded`: the facts could not be had within the deadline, so only rules that need none have spoken. */
export type Assessment = Judgement & {
  readonly degraded: boolean;
  readonly ruleset: string;
  /** Where the card was issued, by its BIN: ISO 3166-1 alpha-2, null if not known. */
  readonly binCountry: string | null;
};

/** Risk's only door on the write path, in process, never later than its deadline. */
export type Assess = (input: AssessmentInput) => Promise<Assessment>;

const NO_DUPLICATES: Duplicates = { count: 0, windowMs: 0, refuse: false };
const NO_FACTS = { binCountry: null, limit: { reviewAbove: null, blockAbove: null }, listed: [] };

export function createAssess(options: {
  readonly reader: TenantReader;
  readonly deadlineMs: number;
  readonly onDegraded: (because: string) => void;
}): Assess {
  const { reader, deadlineMs, onDegraded } = options;
  return async (input) => {
    const gathered = await within(deadlineMs, gatherFacts(reader, input)).catch((error: unknown) => {
      onDegraded(error instanceof Error ? error.message : "unknown");
      return null;
    });
    const facts: Facts = {
      amount: input.amount,
      payerCountry: input.payer.country,
      duplicates: input.duplicates ?? NO_DUPLICATES,
      ...(gathered ?? NO_FACTS),
    };
    const { binCountry } = facts;
    return { ...judge(facts), degraded: gathered === null, ruleset: RULESET, binCountry };
  };
}

async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no facts within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // Late failures have been answered already.
  }
}

/** Everything the rules need, in one round trip. */
async function gatherFacts(reader: TenantReader, input: AssessmentInput) {
  const { merchant, card, payer } = input;
  const own = [homeOf(merchant).shard, uuidOf(merchant)] as const;
  const [bins, limits, hits] = await reader.read(
    merchant,
    {
      text: `select country from risk.bin_range where prefix in ($1, $2, $3) order by length(prefix) desc limit 1`,
      parameters: [card.bin.slice(0, 6), card.bin.slice(0, 7), card.bin.slice(0, 8)],
    },
    {
      text: `select review_above, block_above from risk.amount_limit
             where shard = $1 and merchant = $2 and currency = $3`,
      parameters: [...own, input.amount.currency],
    },
    {
      text: `select list, kind from risk.list_entry
             where shard = $1 and merchant = $2
               and (kind, value) in (('card', $3), ('bin', $4), ('email', $5), ('ip', $6))`,
      parameters: [...own, card.fingerprint, card.bin, payer.email?.toLowerCase() ?? "", payer.ip ?? ""],
    },
  );
  const limit = limits?.[0];
  return {
    binCountry: (bins?.[0]?.["country"] as string | undefined) ?? null,
    limit: {
      reviewAbove: (limit?.["review_above"] as bigint | null | undefined) ?? null,
      blockAbove: (limit?.["block_above"] as bigint | null | undefined) ?? null,
    },
    listed: (hits ?? []) as unknown as ListHit[],
  };
}

/** The decision as the row that the claiming commit writes. */
export function assessmentRow(
  assessment: Omit<Assessment, "decline" | "binCountry">,
  merchant: MerchantId,
  payment: PaymentId,
  at: Date,
): Row {
  return {
    shard: homeOf(merchant).shard,
    merchant: uuidOf(merchant),
    payment: uuidOf(payment),
    decision: assessment.decision,
    score: assessment.score,
    reasons: assessment.reasons.map((reason) => ({ ...reason })),
    degraded: assessment.degraded,
    ruleset: assessment.ruleset,
    created_at: at.toISOString(),
  };
}
