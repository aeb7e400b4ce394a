import type { Plan } from "./plan.ts";
import { DECLINED_CARDS } from "./plan-payment.ts";
import type { Problems } from "./problems.ts";
import type { OperationRecord, PaymentRecord } from "./records.ts";
import type { Answer } from "./stage.ts";

/** Whether every payment is where its history leads to, and every merchant was told the truth. */

const ENDED: ReadonlySet<string> = new Set(["succeeded", "declined", "failed", "reversed"]);

export function checkHistories(
  problems: Problems,
  payments: ReadonlyMap<string, PaymentRecord>,
  context: {
    readonly plan: Plan;
    /** Payments whose payer has done something: all others may wait. */
    readonly payersDone: ReadonlyMap<string, number>;
  },
): void {
  for (const payment of payments.values()) {
    const planned = context.plan.payments[payment.number ?? -1];
    checkEnded(problems, payment, !context.payersDone.has(payment.id));
    checkAmounts(problems, payment);
    if (
      planned !== undefined &&
      DECLINED_CARDS.has(planned.card) &&
      payment.captured > 0n &&
      !paidOnAPage(payment)
    )
      problems.add(
        "history",
        `${payment.id} was captured from a card that every issuer declines`,
        planned.index,
      );
  }
}

/** A payer at a page may pick an outcome that is not the card's. */
const paidOnAPage = ({ provider }: PaymentRecord): boolean => provider === "mollie";

function checkEnded(
  problems: Problems,
  { id, number, state, provider, capturing, refunding, incrementing, closing, operations }: PaymentRecord,
  abandoned: boolean,
): void {
  const waits = state === "requires_action" && abandoned;
  if ((state === "processing" || state === "requires_action") && !waits)
    problems.add("not ended", `${id} is ${state} at ${provider}`, number);
  if (capturing !== 0n || refunding !== 0n || incrementing !== 0n || closing)
    problems.add("not ended", `${id} (${state}) has something in flight`, number);
  for (const operation of operations)
    if (!ENDED.has(operation.state) && !waits)
      problems.add(
        "not ended",
        `${operation.id} of ${id}, a ${operation.kind} at ${provider}, is ${operation.state} since ${operation.claimedAt.toISOString()}`,
        number,
      );
}

/** The payment's amounts and state by its operations alone: a second, simpler telling of the state machine. */
function checkAmounts(problems: Problems, payment: PaymentRecord): void {
  const done = payment.operations.filter(({ state }) => state === "succeeded");
  const sum = (kind: string): bigint =>
    done.filter((one) => one.kind === kind).reduce((total, { amount }) => total + amount, 0n);
  const authorizations = done.filter(({ kind }) => kind === "authorize");
  const sold = payment.captureMethod === "automatic" && authorizations.length > 0;
  const expected = {
    authorized: sum("authorize") + sum("increment"),
    captured: sold ? payment.amount : sum("capture"),
    refunded: sum("refund"),
  };
  const wrong = (Object.keys(expected) as (keyof typeof expected)[]).filter(
    (name) => expected[name] !== payment[name],
  );
  for (const name of wrong)
    problems.add(
      "history",
      `${payment.id} (${payment.state}) has ${name} ${payment[name]}; its operations ${expected[name]}`,
      payment.number,
    );
  if (authorizations.length > 1)
    problems.add("history", `${payment.id} was authorized ${authorizations.length} times`, payment.number);
  const closed = sold || done.some(({ kind, final }) => final || kind === "void" || kind === "expire");
  const state = stateOf(expected, closed, payment.operations);
  if (state !== null && state !== payment.state)
    problems.add(
      "history",
      `${payment.id} is ${payment.state}; by its operations it is ${state}`,
      payment.number,
    );
}

/** Null where the operations leave it open. */
function stateOf(
  { authorized, captured, refunded }: { authorized: bigint; captured: bigint; refunded: bigint },
  closed: boolean,
  operations: readonly OperationRecord[],
): string | null {
  if (authorized === 0n) {
    const last = operations.filter(({ kind }) => kind === "authorize").at(-1)?.state;
    return last === "declined" || last === "failed" ? last : null;
  }
  const ended = closed || captured >= authorized;
  if (captured === 0n) {
    if (!ended) return "authorized";
    return operations.some(({ kind, state }) => kind === "expire" && state === "succeeded")
      ? "expired"
      : "voided";
  }
  if (refunded > 0n) return refunded === captured && ended ? "refunded" : "partially_refunded";
  return ended ? "captured" : "partially_captured";
}

/** What merchants were told, against what is recorded: an end that was told is never another one later. */
export function checkAnswers(
  problems: Problems,
  answers: readonly Answer[],
  payments: ReadonlyMap<string, PaymentRecord>,
  keys: ReadonlyMap<string, string>,
): void {
  const operations = new Map<string, OperationRecord>();
  for (const payment of payments.values()) for (const one of payment.operations) operations.set(one.id, one);
  for (const { payment, merchant, key, told } of answers) {
    const claimed = keys.get(`${merchant} ${key}`);
    if (told.operation === null || told.payment === null) continue;
    if (claimed === undefined) {
      problems.add("answer", `${key} was answered ${told.kind}, and is not stored`, payment);
      continue;
    }
    const record = payments.get(told.payment.id);
    const operation = operations.get(told.operation.id);
    if (record === undefined || operation === undefined) {
      problems.add(
        "answer",
        `${key} was answered ${told.kind} with ${told.payment.id}, which is not stored`,
        payment,
      );
      continue;
    }
    const now = told.operation.kind === "authorize" ? ofPayment(record) : operation.state;
    if (agree(told.kind, now)) continue;
    problems.add(
      "answer",
      `${key} was answered ${told.kind}; ${operation.id} of ${record.id} is ${now}`,
      payment,
    );
  }
}

/** An authorization's outcome is its payment's, whoever was asked. */
function ofPayment({ state }: PaymentRecord): string {
  if (state === "declined" || state === "failed") return state;
  return state === "processing" || state === "requires_action" ? "claimed" : "succeeded";
}

function agree(told: string, now: string): boolean {
  switch (told) {
    case "succeeded":
      return now === "succeeded" || now === "reversed";
    case "declined":
      return now === "declined";
    case "failed":
      return now === "failed" || now === "reversed";
    default:
      return true;
  }
}
