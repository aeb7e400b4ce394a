import { type Browser, chromium } from "playwright-core";
import { findChromium } from "../../cli/chromium.ts";

/** The browser for page tests, and why there is none: then the tests that need it are skipped, and say so. */
export const browserForTests = findChromium();
if (browserForTests.path === null) console.warn(`browser tests SKIPPED: ${browserForTests.why}`);

const FLAGS = [
  "no-sandbox",
  "disable-gpu",
  "disable-quic",
  "no-first-run",
  "disable-background-networking",
  "disable-component-update",
  "disable-sync",
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserForTests.path ?? "",
    args: FLAGS.map((flag) => `--${flag}`),
  });
}
