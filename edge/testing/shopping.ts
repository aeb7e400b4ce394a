import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type FrameLocator,
  type Page,
} from "playwright-core";
import { findChromium } from "../../cli/chromium.ts";
import { CheckoutDouble } from "./checkout-double.ts";
import { freePort, ServedEdge } from "./served-edge.ts";

/** The browser for tests of the checkout, and why there is none: then they are skipped, and say so. */
export const chromiumForTests = findChromium();

const QUIET = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"];
const FLAGS = ["no-sandbox", ...QUIET, "disable-component-update", "disable-sync"];
/** Chromium logs every failed request, of which the tests make some, and that an issuer's page may not take the focus. */
const EXPECTED = /^Failed to load resource|^Blocked autofocusing/;
export const NUMBER = "4242424242424242";

/**
 * A payer in a real browser on the demonstration shop's page with its strict content policy, with both workers in
 * workerd and a double of the region behind them.
 */
export class Shopping {
  readonly edge = new ServedEdge();
  /** Of this test. */
  checkout = new CheckoutDouble();
  /** What pages wrote to their consoles as errors; a violated content policy is reported there, too. */
  problems: string[] = [];
  shopUrl = "";
  #browser: Browser | undefined;
  #shop: ChildProcess | undefined;
  #page: Page | undefined;

  async start(): Promise<void> {
    await this.edge.open();
    const merchant = this.edge.region.newMerchant();
    const port = await freePort();
    this.shopUrl = `http://127.0.0.1:${port}`;
    const shop = fileURLToPath(new URL("../../test/sandbox/shop/shop.ts", import.meta.url));
    this.#shop = spawn(process.execPath, [shop], {
      env: {
        ...process.env,
        SHOP_PORT: String(port),
        SHOP_EDGE_URL: this.edge.api,
        SHOP_SECRET_KEY: await this.edge.region.issueKey("secret", merchant),
        SHOP_PUBLISHABLE_KEY: await this.edge.region.issueKey("publishable", merchant),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ready = await new Promise((resolve) =>
      this.#shop?.stdout?.once("data", (chunk) => resolve(String(chunk))),
    );
    if (ready !== `ready on ${this.shopUrl}\n`) throw new Error(`the shop says ${String(ready)}`);
    const args = FLAGS.map((flag) => `--${flag}`);
    this.#browser = await chromium.launch({ executablePath: chromiumForTests.path ?? "", args });
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    this.#shop?.kill();
    await this.edge.close();
  }

  /** Before each test. */
  begin(): void {
    this.checkout = new CheckoutDouble();
    this.edge.region.answer = this.checkout.answer;
    this.edge.region.requests.length = 0;
    this.problems = [];
  }

  /** A page of its own, whose problems are noted; the one before stays open. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error("start first");
    const page = await this.#browser.newPage({ viewport: { width: 900, height: 900 }, ...options });
    page.on("console", (message) => {
      if (message.type() === "error" && !EXPECTED.test(message.text())) this.problems.push(message.text());
    });
    page.on("pageerror", (error) => this.problems.push(error.message));
    this.#page = page;
    return page;
  }

  /** The shop's page with the checkout on it. */
  async buy(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.newPage(options);
    await page.goto(this.shopUrl);
    await this.button().click();
    return page;
  }

  get page(): Page {
    if (this.#page === undefined) throw new Error("no page is open");
    return this.#page;
  }

  card = (): FrameLocator => this.page.frameLocator('iframe[title="Card details"]');
  button = () => this.page.getByRole("button");
  status = () => this.page.getByRole("status");
  complete = () => this.page.getByText("Payment complete").waitFor();

  async type(number = NUMBER, expiry = "1230", cvc = "123"): Promise<void> {
    const card = this.card();
    await card.locator("#number").fill("");
    await card.locator("#number").pressSequentially(number);
    await card.locator("#expiry").fill("");
    await card.locator("#expiry").pressSequentially(expiry);
    await card.locator("#cvc").fill(cvc);
  }
}
