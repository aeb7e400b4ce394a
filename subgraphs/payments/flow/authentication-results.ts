import {
  type ResultsResponse,
  readResults,
  refusedResults,
  resultsResponse,
} from "../connectors/three-ds/results.ts";
import type { RReq } from "../domain/three-ds/messages.ts";
import { advance } from "../domain/three-ds/session.ts";
import { goOn, requireThreeDs, underWayOf } from "./authenticate.ts";
import type { PaymentDeps } from "./deps.ts";
import { perform } from "./perform.ts";

/**
 * How an issuer tells that a challenge has ended: the directory sends the results to us, and only they count, whatever the
 * browser brings back. They are answered once what they say is kept, since the directory forgets it then; the
 * authorization goes out after that, whether the payer is still there or has closed the page.
 */
export async function receiveResults(
  deps: PaymentDeps,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<ResultsResponse> {
  const { secrets } = requireThreeDs(deps);
  const read = readResults(headers, body, secrets);
  if (!read.ok) {
    deps.log.warn({ because: read.error.because }, "authentication results were refused");
    return refusedResults(read.error);
  }
  return take(deps, read.value);
}

/** No RRes and no Erro, so that the directory sends the results again. */
const NOT_YET: ResultsResponse = { status: 503, headers: { "retry-after": "1" }, body: "" };

async function take(deps: PaymentDeps, results: RReq): Promise<ResultsResponse> {
  const found = await deps.queue.operationByReference(results.threeDSServerTransID);
  const stored =
    found === null ? null : await deps.reads.operation(found.merchant, found.payment, found.operation);
  if (stored === null || stored.operation.kind !== "authenticate")
    return resultsResponse(results, "unknown_transaction");
  const { payment, operation } = stored;
  // It has ended, and its session is gone: the directory sends until it is answered.
  if (operation.request?.underWay === undefined) return resultsResponse(results, "late");
  const underWay = underWayOf(operation);
  // An issuer's app may be faster than we are with what the directory has just answered: it is told to come again.
  if (underWay.session.state === "started") return NOT_YET;
  const session = advance(underWay.session, { type: "results", results, at: deps.clock.now() });
  if (!session.ok) return resultsResponse(results, session.error);
  const gone = await goOn(deps, payment, operation, { ...underWay, session: session.value });
  if (gone.next !== null) {
    perform(deps, { payment: gone.payment, operation: gone.next }, gone.attempts).catch((error: unknown) =>
      deps.log.error({ operation: gone.next?.id, err: error }, "an authorization is left to recovery"),
    );
  }
  return resultsResponse(results, "taken");
}
