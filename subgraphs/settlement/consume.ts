import type { Sql } from "postgres";
import { paymentEvent } from "../../schema/events/payment-events.ts";
import { idFromUuid } from "../kernel/ids.ts";
import type { Merchants } from "../merchants/profile.ts";
import { type EventFacts, itemOf } from "./domain/items.ts";

/** An outbox row as the relay hands it on. */
export type DeliveredEvent = {
  readonly id: string;
  readonly merchant: string;
  readonly type: string;
  readonly body: unknown;
  readonly createdAt: Date;
};

/**
 * Settlement's door for events. It writes in the relay's transaction, so an event is consumed and marked
 * together; an event that comes twice changes nothing. Throws on an event that breaks its contract.
 */
export async function consumeEvents(
  sql: Sql,
  merchants: Merchants,
  events: readonly DeliveredEvent[],
): Promise<void> {
  const items = [];
  for (const { id, merchant, type, body, createdAt } of events) {
    const owner = idFromUuid("mer", merchant);
    const message = paymentEvent.parse({ type, body });
    const facts: EventFacts = { event: id, merchant: owner, at: createdAt, message };
    const profile = await merchants.profile(owner);
    const item = itemOf(facts, profile?.settlementDelayDays ?? 0);
    if (item !== null) items.push(item);
  }
  if (items.length === 0) return;
  await sql.unsafe("select settlement.record_items($1::text::jsonb)", [JSON.stringify(items)], {
    prepare: true,
  });
}
