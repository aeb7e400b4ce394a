import { renderWalk, takeDemoPayment, type Walk } from "./demo.ts";
import { openHome } from "./home.ts";
import { DEV_PROVIDERS } from "./outside-world.ts";
import { platformPorts } from "./ports.ts";
import { StartProblem } from "./problem.ts";
import { type Stack, startStack } from "./stack.ts";
import { onStopRequest } from "./stop-request.ts";

/**
 * `npm start`: the whole platform on this machine, with one demo payment. Runs until Ctrl-C; with `--demo` it
 * ends after the payment. Settings: TESSERA_PORT_BASE, TESSERA_DATA_DIR, DATABASE_URL (your own Postgres, 18 or
 * newer), TESSERA_SUBGRAPHS=http (each subgraph a process of its own).
 */
const began = performance.now();
const say = (line: string) =>
  console.log(`[${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}`);

async function start(): Promise<Stack> {
  const home = await openHome();
  const ports = platformPorts();
  const databaseUrl = process.env["DATABASE_URL"] || undefined;
  say(
    `Tessera starts in ${home}${databaseUrl === undefined ? " with its own Postgres" : " with your DATABASE_URL"}`,
  );
  return startStack({
    home,
    ports,
    databaseUrl,
    providers: DEV_PROVIDERS,
    threeDs: true,
    subgraphs: process.env["TESSERA_SUBGRAPHS"] === "http" ? "http" : "in_process",
    log: say,
  });
}

function welcome({ urls, merchant }: Stack, walk: Walk): string {
  const query = `mutation($i: AuthorizePaymentInput!) { authorizePayment(input: $i) { __typename ... on Payment { id state } ... on PaymentDeclined { message } ... on UserError { message } } }`;
  const variables = {
    i: { idempotencyKey: "my-first", amount: { amount: 1_000, currency: "EUR" }, token: walk.token },
  };
  return `
  Shop with checkout   ${urls.checkout}
  Schema explorer      ${urls.explorer}
  GraphQL API          ${urls.edge}/graphql
  Vault                ${urls.vault}
  Provider sandboxes   ${urls.sandbox} (Stripe), and for Adyen, Mollie, an acquirer and 3-D Secure beside it
  Database             ${urls.database}

  Secret key           ${merchant.secretKey}
  Publishable key      ${merchant.publishableKey}

  Take a payment yourself:

  curl ${urls.edge}/graphql -H 'authorization: Bearer ${merchant.secretKey}' \\
    -H 'content-type: application/json' \\
    -d '${JSON.stringify({ query, variables })}'

  Test cards: 4242 4242 4242 4242 succeeds, 4000 0000 0000 0002 is declined. A token for one:
  npm run -s tokenize -- 4242424242424242 12/${(new Date().getUTCFullYear() + 3) % 100} 123
`;
}

async function main(): Promise<void> {
  const demoOnly = process.argv.includes("--demo");
  let stack: Stack | null = null;
  let stopping: Promise<void> | null = null;
  const stop = (why: string): Promise<void> => {
    stopping ??= (async () => {
      say(`stopping: ${why}`);
      await stack?.stop();
      say("stopped; nothing is left running");
    })();
    return stopping;
  };
  onStopRequest((why) => {
    void stop(why === "SIGINT" ? "Ctrl-C" : why).then(() => process.exit(stack === null ? 130 : 0));
  });

  stack = await start();
  if (stopping !== null) {
    await stack.stop();
    return;
  }
  say("ready: a request went all the way through");
  const walk = await takeDemoPayment(stack);
  say("a demo payment's walk, and what each step took:");
  console.log(renderWalk(walk).join("\n"));
  if (demoOnly) {
    await stop("the demo payment is taken");
    process.exit(0);
  }
  console.log(welcome(stack, walk));
  say(`up. Logs are in ${stack.logs}. Ctrl-C ends everything.`);
  const name = await stack.broken;
  if (stopping !== null) return;
  console.error(
    `\n${name} ended by itself; see ${stack.logs}/${name}.log. Run npm start again: it recovers.`,
  );
  await stop(`${name} is gone`);
  process.exit(1);
}

main().catch((error: unknown) => {
  console.error(error instanceof StartProblem ? `\n${error.message}` : error);
  process.exit(1);
});
