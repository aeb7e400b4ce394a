/** The directory servers of all schemes and one ACS behind them, as the kit wants a provider. */

import { createHmac } from "node:crypto";
import { refuse } from "../kit/control.ts";
import type { Dialect, Incoming } from "../kit/dialect.ts";
import { authorizationKey, sameText } from "../kit/http.ts";
import { Router } from "../kit/router.ts";
import { Table } from "../kit/table.ts";
import { Refusal, type Reply } from "../kit/world.ts";
import { bookView, cardAndAmount, proofView } from "./book.ts";
import { decideByItself, endDecoupled } from "./issuer.ts";
import { erro } from "./messages.ts";
import { refusedPage } from "./pages.ts";
import { answering, authenticating, challenging, fingerprinting, goingBack, preparing } from "./requests.ts";
import { OPERATIONS, type OperationName, type Request, settings, type ThreeDsWorld } from "./world.ts";

type Route = { readonly operation: OperationName; readonly run: Request["run"] };

const routes = new Router<Route>([
  ["POST", "/ds/areq", { operation: "authenticate", run: authenticating }],
  ["POST", "/ds/preq", { operation: "prepare", run: preparing }],
  ["POST", "/acs/challenge", { operation: "challenge", run: challenging }],
  ["POST", "/acs/challenge/answer", { operation: "answer", run: answering }],
  ["GET", "/acs/challenge/return/:id", { operation: "return", run: goingBack }],
  ["POST", "/acs/method", { operation: "method", run: fingerprinting }],
]);

const failed = (status: number, detail: string): Reply => ({
  status,
  body: erro(status >= 500 ? 403 : 101, detail, {}),
});

/** A 3DS server proves itself by its key, which stands for the certificate that the schemes give it. */
function read({ message, method, path, body }: Incoming, apiKey: string): Request {
  const found = routes.find(method, path);
  if (found === undefined) throw new Refusal(refusedPage(404));
  const { operation, run } = found.value;
  const ofServer = operation === "authenticate" || operation === "prepare";
  if (ofServer && !sameText(authorizationKey(message) ?? "", apiKey)) {
    throw new Refusal({ status: 401, body: erro(303, "key", {}) });
  }
  const form = new URLSearchParams(ofServer ? "" : body);
  return { method, path, operation, run, ids: found.ids, body, form, idempotencyKey: null };
}

export const threeDs: Dialect<ThreeDsWorld> = {
  name: "three-ds",
  settings,
  operations: OPERATIONS,
  quirks: ["ares", "rreq", "behave"],
  memory: () => {
    const authentications = new Table<ThreeDsWorld["kinds"]["authentications"]>((record) => [
      record.serverTransaction,
    ]);
    const byProof = new Map<string, string>();
    const remember = (record: ThreeDsWorld["kinds"]["authentications"]): void => {
      for (const proof of [record.answer.cavv, record.result?.cavv ?? null]) {
        if (proof !== null) byProof.set(proof, record.id);
      }
    };
    return {
      tables: { authentications, methods: new Table() },
      indexes: { byProof },
      opened: () => [...authentications.values()].forEach(remember),
      applied: (put) => put.authentications?.forEach(remember),
      emptied: () => byProof.clear(),
    };
  },
  operationOf: (method, path) => routes.find(method, path)?.value.operation ?? "other",
  read,
  prepare: (request) => request.run(request),
  parameters: ({ body }) => body,
  subject: (_store, request) => subjectOf(request),
  refusals: {
    bodyTooLarge: () => failed(413, "too large"),
    keyInUse: () => failed(409, "key"),
    keyMismatch: () => failed(422, "key"),
    rateLimited: () => failed(429, "slow down"),
    failed: (status) => failed(status, "ordered"),
  },
  decisions: { authentications: { next: (record) => record.decision, decide: decideByItself } },
  webhooks: {
    request: ({ body }, { settings: { webhooks } }) => {
      const signature = createHmac("sha256", webhooks.secret).update(body).digest("hex");
      return {
        body,
        headers: { "content-type": "application/json", "x-ds-signature": `sha256=${signature}` },
      };
    },
    accepted: (_status, text) => /"messageType"\s*:\s*"(RRes|Erro)"/.test(text),
  },
  control: {
    "GET book": ({ sandbox, query }) => bookView(sandbox.store, query.get("transaction")),
    "GET cavv/:value": ({ sandbox, ids: [value = ""] }) =>
      proofView(sandbox.store, decodeURIComponent(value)),
    "POST decoupled/:id": ({ sandbox, ids: [id = ""], body }) => {
      const outcome = (JSON.parse(body) as { outcome?: unknown }).outcome;
      if (outcome !== "Y" && outcome !== "N") refuse(400, "outcome must be Y or N");
      sandbox.change(null, (work) => {
        const [acs = id] = work.store.tables.authentications.ids(id.toLowerCase());
        const record = work.find("authentications", acs);
        if (record?.answer.transStatus !== "D" || record.result !== null) refuse(409, "nothing is open");
        endDecoupled(work, record, outcome);
      });
      return { ok: true };
    },
  },
};

/** What fault rules can know: of an AReq its card and amount. */
function subjectOf(request: Request): {
  metadata: [];
  cardFingerprint: string | null;
  amount: number | null;
} {
  if (request.operation !== "authenticate") return { metadata: [], cardFingerprint: null, amount: null };
  return { metadata: [], ...cardAndAmount(request.body) };
}
