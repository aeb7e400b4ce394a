import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import pino from "pino";
import { type Committer, openCommitter } from "../../../subgraphs/ledger/committer.ts";
import { connectWire } from "../wire/client.ts";
import { byStatements, type StatementCommitter } from "./by-statements.ts";

/** The two ways into a ledger's database, over one key, so that either continues the other's chains. */
export type LedgerSession = {
  readonly committer: Committer;
  readonly statements: readonly StatementCommitter[];
  close(): Promise<void>;
};

/** As a region of two cores has. */
const LANES = 2;

export const newAuditKey = (): KeyObject => createSecretKey(randomBytes(32));

/** @param clients how many connections go by statements */
export async function openLedger(url: URL, auditKey: KeyObject, clients: number): Promise<LedgerSession> {
  const committer = openCommitter({ url: url.href, lanes: LANES, auditKey, log: pino({ level: "error" }) });
  const statements = await Promise.all(
    Array.from({ length: clients }, async () => byStatements(await connectWire(url), auditKey)),
  );
  return {
    committer,
    statements,
    async close() {
      await committer.close();
      await Promise.all(statements.map((one) => one.close()));
    },
  };
}
