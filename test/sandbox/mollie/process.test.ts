import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { MollieSandboxControl, payByCard } from "./control-client.ts";
import { CARD_PAYMENT } from "./test-harness.ts";

let folder = "";
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mollie-sandbox-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Starts the process; gives its address once it says that it is ready. */
function start(): Promise<string> {
  const started = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: { ...process.env, SANDBOX_PORT: "0", SANDBOX_DATA_DIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  return new Promise((resolve, reject) => {
    started.once("exit", (code) => reject(new Error(`ended with ${code}`)));
    started.stdout?.on("data", (chunk: Buffer) => {
      const url = /ready on (\S+)/.exec(chunk.toString("utf8"))?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

async function create(url: string) {
  const response = await fetch(`${url}/v2/payments`, {
    method: "POST",
    headers: { authorization: "Bearer test_sandbox", "idempotency-key": "k1" },
    body: JSON.stringify({ ...CARD_PAYMENT, captureMode: "manual" }),
  });
  return (await response.json()) as { id: string; _links: { checkout: { href: string } } };
}

it("a killed process remembers what it has answered: payments, pages, keys and the book", async () => {
  const first = await start();
  const made = await create(first);
  child?.kill("SIGKILL");
  const second = await start();
  expect((await create(second)).id).toBe(made.id);
  const page = new URL(made._links.checkout.href).pathname;
  const { payment } = await payByCard(second + page, { number: "4242424242424242" });
  expect(payment).toMatchObject({ id: made.id, status: "authorized" });
  child?.kill("SIGKILL");
  const third = await start();
  const { movements } = await new MollieSandboxControl(third).book({ payment: made.id });
  expect(movements.map(({ kind, amount }) => [kind, amount])).toEqual([["authorized", 1000]]);
}, 20_000);
