/** 0400: undoing a message whose answer never came, whether the message did or not. */

import type { Work } from "./acquirer-world.ts";
import { release } from "./completions.ts";
import { answerType, type ReversalMessage } from "./message.ts";
import { move, type Outcome, refused } from "./outcome.ts";
import type { Answer, MessageRecord } from "./records.ts";

export function reverse(work: Work, message: ReversalMessage): Outcome {
  const { reference } = message.original;
  const original = work.find("messages", reference);
  const code = original === undefined ? "00" : undo(work, original, message.reference);
  if (code !== "00") return refused(code);
  // From now on it is burnt: a late original finds this, and moves nothing.
  const { transmissionTime, traceNumber, terminal, merchant } = message;
  const heading = { reference, transmissionTime, traceNumber, terminal, merchant };
  work.put("reversals", { id: reference, created: work.nowSeconds, heading });
  return { responseCode: "00", ...(original?.transaction ? { transaction: original.transaction } : {}) };
}

/** The code that it comes to. */
function undo(work: Work, original: MessageRecord, message: string): string {
  if (original.transaction === null || original.kind === "echo") return "00";
  const before = work.find("transactions", original.transaction);
  if (before === undefined) return "21";
  switch (original.kind) {
    case "authorize":
    case "advise":
      if (before.state === "reversed" || before.state === "expired") return "00";
      if (before.captured > 0 || before.state === "closed") return "21";
      release(work, before, "reversed", message);
      return "00";
    case "sale":
      if (before.state === "reversed") return "00";
      if (before.refunded > 0) return "21";
      work.put("transactions", { ...before, state: "reversed", refunded: before.captured });
      move(work, "refunded", before, before.captured, message);
      return "00";
    case "increment": {
      if (before.state === "reversed" || before.state === "expired") return "00";
      if (before.state === "closed" || before.authorized - before.captured < original.amount) return "21";
      work.put("transactions", { ...before, authorized: before.authorized - original.amount });
      move(work, "released", before, original.amount, message);
      return "00";
    }
    default:
      return "21";
  }
}

/** What a look-up of a burnt reference says whose message never came. */
export function burntAnswer(work: Work, reference: string): Answer | null {
  const reversal = work.find("reversals", reference);
  return reversal === undefined ? null : { mti: answerType("0100"), ...reversal.heading, responseCode: "79" };
}
