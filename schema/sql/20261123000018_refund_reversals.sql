-- migrate:up

-- A refund that the payer's bank returned is owed to the merchant again.
alter table settlement.item drop constraint item_kind_check,
  add constraint item_kind_check check (kind in ('capture', 'refund', 'refund_reversal'));

-- migrate:down
-- Migrations only go forward.
