/**
 * The Stripe sandbox on a socket.
 */

import { type RunningSandbox, type StartOptions, startSandbox } from "../kit/server.ts";
import { stripe } from "./dialect.ts";
import type { StripeWorld } from "./store.ts";

export type StripeSandboxOptions = StartOptions;
export type RunningStripeSandbox = RunningSandbox<StripeWorld>;

/** Starts the sandbox; resolves once it listens. Rejects where the port is taken or the journal is broken. */
export function startStripeSandbox(options: StripeSandboxOptions): Promise<RunningStripeSandbox> {
  return startSandbox(stripe, options);
}
