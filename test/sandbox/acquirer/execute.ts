/** One message, executed: duplicate? burnt? then what it asks for; and the look-up of what became of it. */

import type { Execution } from "../kit/dialect.ts";
import { type Bending, Refusal, type Reply } from "../kit/world.ts";
import type { AcquirerRequest, AcquirerWorld, Work } from "./acquirer-world.ts";
import { complete, giveBack } from "./completions.ts";
import { answerType, type Message, minorOf } from "./message.ts";
import { type Outcome, refused } from "./outcome.ts";
import { increment, purchase } from "./purchases.ts";
import type { Answer, MessageRecord } from "./records.ts";
import { refund } from "./refunds.ts";
import { errorReply } from "./requests.ts";
import { burntAnswer, reverse } from "./reversals.ts";

export function prepare(request: AcquirerRequest): Execution<AcquirerWorld> {
  const { message, digest, reference } = request;
  return message === null
    ? (work, bending) => lookUp(work, reference, bending)
    : (work, bending) => send(work, message, digest, bending);
}

function send(work: Work, message: Message, digest: string, bending: Bending): Reply {
  const { reference, transmissionTime, traceNumber, terminal, merchant, mti } = message.fields;
  const heading = { reference, transmissionTime, traceNumber, terminal, merchant };
  const plain = (responseCode: string): Reply => ok({ mti: answerType(mti), ...heading, responseCode });
  const before = work.find("messages", reference);
  const burnt = work.find("reversals", reference) !== undefined;
  if (before !== undefined) {
    if (before.digest !== digest) return plain("94");
    return burnt ? plain("79") : ok(before.answer);
  }
  const {
    responseCode,
    fields = {},
    transaction = null,
  } = burnt ? refused("79") : act(work, message, bending);
  const processing =
    "processingCode" in message.fields ? { processingCode: message.fields.processingCode } : {};
  const answer: Answer = { mti: answerType(mti), ...processing, ...heading, ...fields, responseCode };
  work.put("messages", {
    id: reference,
    created: work.nowSeconds,
    kind: message.kind,
    digest,
    transaction,
    amount: "amount" in message.fields ? minorOf(message.fields.amount) : 0,
    answer,
  });
  // Contradicts itself: the work is done, and a look-up says so.
  if (bending.quirk?.name === "answer_96") return plain("96");
  return ok(answer);
}

function act(work: Work, message: Message, bending: Bending): Outcome {
  switch (message.kind) {
    case "authorize":
    case "sale":
    case "advise":
      return purchase(work, message.kind, message.fields, bending);
    case "increment":
      return increment(work, message.fields, bending);
    case "capture":
      return complete(work, message.fields);
    case "refund":
      return refund(work, message.fields, bending.processingMs);
    case "reverse":
      return reverse(work, message.fields);
    case "void":
      return giveBack(work, message.fields);
    case "echo":
      return { responseCode: "00" };
  }
}

const ok = (body: object): Reply => ({ status: 200, body });

function lookUp(work: Work, reference: string, bending: Bending): Reply {
  const record = work.find("messages", reference);
  const shown = record !== undefined && work.nowMs - record.created * 1000 >= work.settings.lookupLagMs;
  const answer = shown ? record.answer : burntAnswer(work, reference);
  if (answer === null || bending.quirk?.name === "deny_lookup") {
    throw new Refusal(
      errorReply(404, "unknown_reference", "No message of this reference has been executed."),
    );
  }
  return ok({ ...answer, ...(shown ? standing(work, record) : { status: "reversed" }) });
}

/** What has become of a message since it was answered. */
function standing(work: Work, { id, kind, transaction, answer }: MessageRecord): object {
  if (work.find("reversals", id) !== undefined) return { status: "reversed" };
  if (kind === "refund" && transaction !== null) {
    const { state } = work.get("refunds", transaction);
    return state === "in_progress" ? { status: state } : { status: state, responseCode: "00" };
  }
  return { status: answer.responseCode === "00" || answer.responseCode === "10" ? "approved" : "declined" };
}
