import type { ReferredMovement as Movement } from "../support/provider-sandboxes.ts";
import type { Problems } from "./problems.ts";
import type { OperationRecord, PaymentRecord } from "./records.ts";

/** Each provider's book against our payments and our ledger, payment by payment and request by request, to the cent. */

type Moved = Readonly<Record<Movement["kind"], bigint>>;

export type ProviderBook = { readonly provider: string; readonly movements: readonly Movement[] };

export function compareBooks(
  problems: Problems,
  books: readonly ProviderBook[],
  payments: ReadonlyMap<string, PaymentRecord>,
): void {
  const byReference = new Map<string, { payment: PaymentRecord; operation: OperationRecord }>();
  for (const payment of payments.values())
    for (const operation of payment.operations) byReference.set(operation.reference, { payment, operation });

  const ofPayment = new Map<string, Movement[]>();
  const ofOperation = new Map<string, Movement[]>();
  for (const { provider, movements } of books) {
    for (const [atProvider, own] of Map.groupBy(movements, ({ payment }) => payment)) {
      const first = own.find(({ kind }) => kind === "authorized");
      const owner = byReference.get(first?.reference ?? "");
      if (owner === undefined || owner.operation.provider !== provider) {
        problems.add(
          "unknown at provider",
          `${provider} has ${atProvider} (${say(moved(own))}), made by ${first?.reference}`,
        );
        continue;
      }
      append(ofPayment, owner.payment.id, own);
      for (const movement of own) append(ofOperation, movement.reference ?? "", [movement]);
    }
  }
  for (const [reference, movements] of ofOperation) {
    if (byReference.has(reference) || movements.every(({ kind }) => kind === "released")) continue;
    problems.add(
      "unknown at provider",
      `${reference} moved money (${say(moved(movements))}) and is no operation`,
    );
  }
  for (const payment of payments.values()) {
    comparePayment(problems, payment, ofPayment.get(payment.id) ?? []);
    for (const operation of payment.operations)
      compareOperation(problems, payment, operation, ofOperation.get(operation.reference) ?? []);
  }
}

function comparePayment(problems: Problems, payment: PaymentRecord, movements: readonly Movement[]): void {
  const { id, number, state, provider, authorized, captured, refunded, posted } = payment;
  const charges = new Set(movements.map((movement) => movement.payment));
  const effective = [...charges].filter((charge) => {
    const own = moved(movements.filter((movement) => movement.payment === charge));
    return own.authorized > own.released || own.captured > 0n;
  });
  // An authorization that was released again is none.
  const lasting = effective.length === 0 ? [...charges].slice(-1) : effective;
  if (effective.length > 1)
    problems.add(
      "two charges",
      `${id} (${state}) is charged ${effective.length} times: ${effective.join(", ")}`,
      number,
    );
  const own = moved(movements.filter((movement) => lasting.includes(movement.payment)));
  // What was undone without ever being told to us as done, such as by a reversal, nets to nothing.
  const undone = authorized === 0n && captured === 0n && own.authorized === own.released;
  const atProvider = {
    authorized: undone ? 0n : own.authorized,
    captured: own.captured,
    refunded: own.refunded - own.refund_failed,
  };
  if (
    atProvider.authorized !== authorized ||
    atProvider.captured !== captured ||
    atProvider.refunded !== refunded
  )
    problems.add(
      "provider and payment",
      `${id} (${state}) has ${say({ authorized, captured, refunded })}; ${provider} has ${say(atProvider)}`,
      number,
    );
  const open = holdsOpen(payment);
  const held = own.authorized - own.captured - own.released;
  // Adyen keeps what a last partial capture leaves until it expires, and cannot be told.
  const mayLinger = provider === "adyen" && payment.finalized && captured > 0n;
  if (held !== open && !(mayLinger && held > open))
    problems.add("held at provider", `${id} (${state}) holds ${open}; ${provider} holds ${held}`, number);
  const inLedger = { captured, refunded, fee: payment.fee, held: open };
  if (Object.entries(inLedger).some(([name, amount]) => posted[name as keyof typeof posted] !== amount))
    problems.add(
      "ledger and payment",
      `${id} (${state}) has ${say(inLedger)}; the ledger ${say(posted)}`,
      number,
    );
}

/** What the authorization still holds, by the payment's own word. */
function holdsOpen({ state, finalized, authorized, captured }: PaymentRecord): bigint {
  const ended = finalized || state === "voided" || state === "expired" || captured > authorized;
  return ended ? 0n : authorized - captured;
}

/** Which movement shows that an operation happened. */
const SHOWN_BY: Readonly<Record<string, Movement["kind"]>> = {
  authorize: "authorized",
  increment: "authorized",
  capture: "captured",
  refund: "refunded",
};

function compareOperation(
  problems: Problems,
  payment: PaymentRecord,
  operation: OperationRecord,
  movements: readonly Movement[],
): void {
  const { number } = payment;
  const { id, kind, state, amount, reference } = operation;
  const shown = SHOWN_BY[kind];
  if (shown === undefined) return;
  const own = moved(movements);
  const happened = own[shown] - (kind === "refund" ? own.refund_failed : 0n);
  const told = state === "succeeded" ? amount : 0n;
  const undone = kind === "authorize" && told === 0n && own.authorized === own.released + releasedOf(payment);
  if (happened === told || undone) return;
  problems.add(
    happened > told && told > 0n ? "twice at provider" : "operation and provider",
    `${id} of ${payment.id} is a ${kind} of ${amount}, ${state}; ${operation.provider} ${shown} ${happened} under ${reference}`,
    number,
  );
}

/** A reversal bears a reference of its own, so that what it released is not found under the authorization's. */
const releasedOf = ({ authorized, amount }: PaymentRecord): bigint => (authorized === 0n ? amount : 0n);

function moved(movements: readonly Movement[]): Moved {
  const sums = { authorized: 0n, captured: 0n, released: 0n, refunded: 0n, refund_failed: 0n };
  for (const { kind, amount } of movements) sums[kind] += BigInt(amount);
  return sums;
}

const say = (amounts: Readonly<Record<string, bigint>>): string =>
  Object.entries(amounts)
    .map(([name, amount]) => `${name} ${amount}`)
    .join(", ");

function append<T>(to: Map<string, T[]>, key: string, more: readonly T[]): void {
  const list = to.get(key);
  if (list === undefined) to.set(key, [...more]);
  else list.push(...more);
}
