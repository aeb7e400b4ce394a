import { afterAll, beforeAll, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import { act, latest, notedNews, paymentOf, reread, tell } from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import type { PaymentDeps } from "./deps.ts";

/** Two pieces of news of one refund that are heard at the same moment: that it was sent, and that it came back. */
let processes: ProviderProcesses;

beforeAll(async () => {
  processes = await startProviderProcesses("adyen");
});
afterAll(() => processes.stop());

/** Both have read the operation before either records it. */
function readTogether(deps: PaymentDeps, count: number): PaymentDeps {
  let waiting = count;
  const all = Promise.withResolvers<void>();
  const operation: PaymentDeps["reads"]["operation"] = async (...asked) => {
    const read = await deps.reads.operation(...asked);
    if (--waiting === 0) all.resolve();
    if (waiting >= 0) await all.promise;
    return read;
  };
  return { ...deps, reads: { ...deps.reads, operation } };
}

it.each([
  ["that it was sent", ["REFUND", "REFUND_FAILED"]],
  ["that it came back", ["REFUND_FAILED", "REFUND"]],
])(
  "a refund that came back is not refunded, whichever is recorded first (first told: %s)",
  async (_, codes) => {
    const { world, mailbox } = processes;
    const deps = processes.at("adyen");
    const merchant = (await testMerchant(world.database.owner)).id;
    const token = world.vault.tokenize("4000000000005126");
    const command = authorizeCommand(merchant, token, { captureMethod: "automatic" });
    const payment = await paymentOf(authorizeAs(deps, command));
    await paymentOf(act(deps, "refund", payment, 4_000n), "pending");
    const { reference } = await latest(world, payment, "refund");
    const letters = await Promise.all(codes.map((code) => mailbox.letter("adyen", reference, `"${code}"`)));

    const together = readTogether(deps, letters.length);
    await Promise.all(letters.map((letter) => tell(together, letter)));

    expect((await reread(world, payment)).refunded).toBe(0n);
    expect(["failed", "reversed"]).toContain((await latest(world, payment, "refund")).state);
    expect(await notedNews(world, payment)).not.toContain("contradicts");
  },
);
