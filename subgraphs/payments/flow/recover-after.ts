import type { PaymentDeps } from "./deps.ts";

/** When recovery may take an operation claimed at `at` for abandoned: its own flow must have given up by then. */
export function recoverAfter({ providerDeadlineMs }: PaymentDeps, at: Date): Date {
  return new Date(at.getTime() + providerDeadlineMs + Math.min(providerDeadlineMs, 5_000));
}
