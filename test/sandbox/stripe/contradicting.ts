/**
 * The quirk `contradict_status`: the work is done, and the answer says `parameters.status` instead of what became of it.
 */

import type { Execution } from "./route.ts";

export function contradicting(execute: Execution): Execution {
  return (work, bending) => {
    const reply = execute(work, bending);
    const status =
      bending.quirk?.name === "contradict_status" ? bending.quirk.parameters["status"] : undefined;
    if (typeof status !== "string" || typeof reply.body === "string") return reply;
    return { ...reply, body: { ...reply.body, status } };
  };
}
