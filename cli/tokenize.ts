// `npm run -s tokenize -- 4242424242424242 12/30 123`: a token for a test card from the platform that `npm start`
// runs on this machine, made as the checkout's iframe makes it. Prints the token and nothing else.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { homePath } from "../regions/dev/home.ts";
import { type CardInput, tokenize } from "../regions/dev/tokenize.ts";

const USAGE = "usage: npm run -s tokenize -- NUMBER MM/YY [CVC], such as 4242424242424242 12/30 123";

function readCard([number, expiry, cvc]: readonly string[]): CardInput {
  const month = /^(\d{1,2})\/(\d{2}|\d{4})$/.exec(expiry ?? "");
  if (number === undefined || month === null) throw new Error(USAGE);
  const year = Number(month[2]);
  const card = {
    number: number.replaceAll(" ", ""),
    expMonth: Number(month[1]),
    expYear: year < 100 ? 2000 + year : year,
  };
  return cvc === undefined ? card : { ...card, cvc };
}

function runningPlatform(): { vault: string; publishableKey: string } {
  const file = join(homePath(), "dev.json");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { vault: string; publishableKey: string };
  } catch {
    throw new Error(
      `No platform runs: there is no ${file}. Run npm start first, with the same TESSERA_DATA_DIR.`,
    );
  }
}

try {
  const card = readCard(process.argv.slice(2));
  const { vault, publishableKey } = runningPlatform();
  console.log((await tokenize(vault, publishableKey, card)).token);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
