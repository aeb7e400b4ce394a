import type { ProviderName } from "../support/connectors.ts";

/** What runner and region process say to each other, over the channel that Node gives a child process. */
export type RegionSettings = {
  readonly databaseUrl: string;
  /** By name, where each provider's sandbox listens. */
  readonly providers: Readonly<Partial<Record<ProviderName, string>>>;
  readonly vaultUrl: string;
  /** Where providers that take an address with each payment send their news. */
  readonly webhookBase: string;
  /** A folder for the audit's checkpoints. */
  readonly auditStore: string;
  readonly providerDeadlineMs: number;
  readonly logLevel: string;
};

export type MoneyArgument = { readonly minor: bigint; readonly currency: string };

export type AuthorizeCall = {
  readonly call: "authorize";
  readonly merchant: string;
  readonly key: string;
  readonly amount: MoneyArgument;
  readonly token: string;
  readonly captureMethod: "automatic" | "manual";
};
export type FollowUpCall = {
  readonly call: "followUp";
  readonly kind: "increment" | "capture" | "void" | "refund";
  readonly merchant: string;
  readonly key: string;
  readonly payment: string;
  readonly amount: MoneyArgument | null;
  readonly final: boolean;
};
export type NewsCall = {
  readonly call: "news";
  readonly provider: string;
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};
export type RegionCall =
  | AuthorizeCall
  | FollowUpCall
  | NewsCall
  /** The payer has come back: ask at once. */
  | { readonly call: "resume"; readonly merchant: string; readonly payment: string }
  /** Begin to do what a region does by itself. */
  | { readonly call: "begin" }
  /** Die of SIGKILL at the nth passing of this point. */
  | { readonly call: "crashAt"; readonly point: string; readonly nth: number }
  | { readonly call: "stop" };

/** How a command ended, as the merchant's server sees it. */
export type Told = {
  readonly kind: string;
  readonly payment: {
    readonly id: string;
    readonly state: string;
    readonly provider: string;
    readonly providerPayment: string | null;
    readonly actionUrl: string | null;
  } | null;
  readonly operation: { readonly id: string; readonly kind: string; readonly state: string } | null;
  readonly declined: string | null;
};

export type Request = { readonly id: number; readonly call: RegionCall };
export type Response =
  | { readonly ready: true }
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };
