import type { Logger } from "pino";
import type { Clock } from "../../kernel/clock.ts";
import type { CrashPoint } from "../../kernel/crash-points.ts";
import type { MerchantId, OperationId, PaymentId } from "../../kernel/ids.ts";
import type { ApplyCommit } from "../../ledger/committer.ts";
import type { Merchants } from "../../merchants/profile.ts";
import type { Assess } from "../../risk/assess.ts";
import type { ProviderTransport } from "../connectors/transport.ts";
import type { Providers, Router } from "../routing/router.ts";
import type { PaymentReads } from "../sql/reads.ts";
import type { RecoveryQueue } from "../sql/recovery-queue.ts";
import type { VaultClient } from "../vault/client.ts";
import type { Admission } from "./admission.ts";
import type { DuplicateWatch } from "./duplicates.ts";
import type { CvcForgetter } from "./forget-cvc.ts";
import type { OperationOutcome } from "./outcome.ts";
import type { ThreeDs } from "./three-ds.ts";

/** Everything a flow reaches the world through. */
export type PaymentDeps = {
  readonly commit: ApplyCommit;
  readonly reads: PaymentReads;
  readonly queue: RecoveryQueue;
  readonly merchants: Merchants;
  readonly assess: Assess;
  readonly vault: VaultClient;
  readonly providers: Providers;
  readonly router: Router;
  readonly transport: ProviderTransport;
  /** Null: nobody watches for duplicates. */
  readonly duplicates: DuplicateWatch | null;
  readonly admission: Admission;
  readonly forgetter: CvcForgetter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly crash: CrashPoint;
  /** Where providers tell their news, for those that take an address with each payment; null: nowhere. */
  readonly webhookBase: string | null;
  /** 3-D Secure carried out by us; null: only what providers do by themselves. */
  readonly threeDs: ThreeDs | null;
  /** Secret from which provider references are made. */
  readonly referenceSecret: string;
  /** Secret from which checkout sessions' client secrets are made. */
  readonly checkoutSecret: string;
  /** How long a provider's answer is waited for, in ms. */
  readonly providerDeadlineMs: number;
  /** Operations that this process is working on: a duplicate request waits for them instead of polling. */
  readonly live: Map<OperationId, Promise<OperationOutcome>>;
};

export type OperationKey = {
  readonly merchant: MerchantId;
  readonly payment: PaymentId;
  readonly operation: OperationId;
};
