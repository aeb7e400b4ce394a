import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type FrameLocator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium } from "../../cli/chromium.ts";
import { tracesOf } from "../testing/card-traces.ts";
import { CheckoutDouble } from "../testing/checkout-double.ts";
import { freePort, ServedEdge } from "../testing/served-edge.ts";

/**
 * The checkout in a real browser, on the demonstration shop's page with its strict content policy, with both
 * workers in workerd and a double of the region behind them.
 */
const found = findChromium();
if (found.path === null) console.warn(`checkout tests SKIPPED: ${found.why}`);

const QUIET = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"];
const NUMBER = "4242424242424242";

describe.skipIf(found.path === null)(`the checkout${found.path === null ? ` (${found.why})` : ""}`, () => {
  const edge = new ServedEdge();
  let checkout: CheckoutDouble;
  let browser: Browser;
  let shop: ChildProcess;
  let shopUrl: string;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    await edge.open();
    const merchant = edge.region.newMerchant();
    const port = await freePort();
    shopUrl = `http://127.0.0.1:${port}`;
    shop = spawn(
      process.execPath,
      [fileURLToPath(new URL("../../test/sandbox/shop/shop.ts", import.meta.url))],
      {
        env: {
          ...process.env,
          SHOP_PORT: String(port),
          SHOP_EDGE_URL: edge.api,
          SHOP_SECRET_KEY: await edge.region.issueKey("secret", merchant),
          SHOP_PUBLISHABLE_KEY: await edge.region.issueKey("publishable", merchant),
        },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const ready = await new Promise((resolve) =>
      shop.stdout?.once("data", (chunk) => resolve(String(chunk))),
    );
    expect(ready).toBe(`ready on ${shopUrl}\n`);
    const args = ["no-sandbox", ...QUIET, "disable-component-update", "disable-sync"].map(
      (flag) => `--${flag}`,
    );
    browser = await chromium.launch({ executablePath: found.path ?? "", args });
  });
  afterAll(async () => {
    await browser?.close();
    shop?.kill();
    await edge.close();
  });
  beforeEach(() => {
    checkout = new CheckoutDouble();
    edge.region.answer = checkout.answer;
    edge.region.requests.length = 0;
    problems = [];
  });
  afterEach(async () => {
    // A violated content policy is reported there, too.
    expect(problems).toEqual([]);
    await page.close();
  });

  const card = (): FrameLocator => page.frameLocator("iframe");
  const button = () => page.getByRole("button");
  const status = () => page.getByRole("status");

  async function open(width = 900): Promise<void> {
    page = await browser.newPage({ viewport: { width, height: 900 } });
    page.on("console", (message) => {
      // Chromium logs every failed request; the tests make some fail.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(shopUrl);
    await button().click();
  }

  async function type(number = NUMBER, expiry = "1230", cvc = "123"): Promise<void> {
    await card().locator("#number").fill("");
    await card().locator("#number").pressSequentially(number);
    await card().locator("#expiry").fill("");
    await card().locator("#expiry").pressSequentially(expiry);
    await card().locator("#cvc").fill(cvc);
  }

  const complete = () => page.getByText("Payment complete").waitFor();

  it("pays once for a double click, says so, and tells the page", async () => {
    await open();
    await page.getByText("49.00 EUR", { exact: true }).waitFor();
    await type();
    expect(await card().locator("#number").inputValue()).toBe("4242 4242 4242 4242");
    expect(await card().locator("#brand").innerText()).toBe("Visa");
    await button().dblclick();
    await complete();
    expect(await page.locator("#thanks").innerText()).toContain("Thank you");
    expect(await page.evaluate("document.activeElement.shadowRoot.activeElement.textContent")).toBe(
      "Payment complete",
    );
    expect(checkout.confirmations).toHaveLength(1);
    expect(checkout.confirmations[0]?.token).toMatch(/^tok_/);
  });

  it("shows the number to nobody but the vault", async () => {
    const sent: string[] = [];
    await open();
    page.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`));
    await type();
    await button().click();
    await complete();
    expect(sent.some((request) => request.includes("/v1/tokens"))).toBe(true);
    expect(tracesOf(NUMBER, Buffer.from(sent.join("\n")))).toEqual([]);
    expect(tracesOf(NUMBER, Buffer.from(JSON.stringify(edge.region.requests)))).toEqual([]);
    expect(tracesOf(NUMBER, Buffer.from(await page.content()))).toEqual([]);
    expect(tracesOf(NUMBER, Buffer.from(edge.logs))).toEqual([]);
  });

  it("lets the payer try another card after a decline, as the next attempt", async () => {
    checkout.fate = "decline";
    await open(360);
    await type("4000000000000002");
    await button().click();
    await page.getByText("Your card was declined. Please use another card.").waitFor();
    checkout.fate = "complete";
    await type();
    await button().click();
    await complete();
    const [first, second] = checkout.confirmations;
    expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
    expect(second?.token).not.toBe(first?.token);
  });

  it("makes a new token for the same card after a decline: its security code was used", async () => {
    checkout.fate = "decline";
    await open();
    await type();
    await button().click();
    await page.getByText("declined").waitFor();
    checkout.fate = "complete";
    await button().click();
    await complete();
    expect(checkout.confirmations[1]?.token).not.toBe(checkout.confirmations[0]?.token);
  });

  it("finds out what became of a payment whose answer was lost, with the same attempt and token", async () => {
    checkout.fate = "lost";
    await open();
    await type();
    // Enter pays as well.
    await card().locator("#cvc").press("Enter");
    await page.getByText("you will not be charged twice").waitFor();
    checkout.fate = "complete";
    await page.getByRole("button", { name: "Try again" }).click();
    await complete();
    const [first, second] = checkout.confirmations;
    expect(second).toEqual(first);
  });

  it.each([
    ["complete", "Payment complete"],
    ["declined", "The payment was declined. Please try another card."],
  ])("waits while the bank decides: %s", async (outcome, text) => {
    checkout.fate = `pending, then ${outcome}` as CheckoutDouble["fate"];
    await open();
    await type();
    await button().click();
    await page.getByText("Your bank is confirming").waitFor();
    expect(await button().getAttribute("aria-disabled")).toBe("true");
    await page.getByText(text).waitFor();
    expect(checkout.confirmations).toHaveLength(1);
  });

  it("says what is wrong beside the field, and puts the cursor there", async () => {
    await open(360);
    await type("4242424242424241", "1320", "12");
    await button().click();
    await status().getByText("Please check the card details.").waitFor();
    for (const field of ["number", "expiry", "cvc"]) {
      expect(await card().locator(`#${field}`).getAttribute("aria-invalid")).toBe("true");
      expect(await card().locator(`#${field}-error`).innerText()).not.toBe("");
    }
    expect(await card().locator("#number:focus").count()).toBe(1);
    expect(checkout.confirmations).toHaveLength(0);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBe(360);
  });

  it("shows what only the vault can find wrong", async () => {
    await open();
    // The page's clock is the payer's: one that is wrong must not matter.
    await page.clock.setFixedTime(new Date("2019-05-05"));
    await type(NUMBER, "0620");
    await button().click();
    await card().getByText("This card has expired. Use another card.").waitFor();
    expect(await card().locator("#expiry").getAttribute("aria-invalid")).toBe("true");
  });

  it("ends where nothing can be paid any more", async () => {
    await open();
    await type();
    for (const session of checkout.sessions.values()) session.status = "EXPIRED";
    checkout.fate = "refuse";
    await button().click();
    await page.getByText("This checkout has expired").waitFor();
    expect(await button().count()).toBe(0);
  });

  it("gives the channel into the vault to the page around the frame, and to no other window", async () => {
    await open();
    await page.evaluate(async (vault) => {
      const [card, stranger] = [document.createElement("iframe"), document.createElement("iframe")];
      [card.name, stranger.name] = ["card", "stranger"];
      card.src = `${vault}/card`;
      const loaded = new Promise((resolve) => card.addEventListener("load", resolve));
      document.body.append(card, stranger);
      await loaded;
    }, edge.vault);
    /** Greets the card page from a window; whether it answers. */
    const greet = ([expression, vault]: readonly [string, string]) => {
      const card = (expression === "parent" ? window.parent : window).frames["card" as never] as Window;
      const { port1, port2 } = new MessageChannel();
      card.postMessage({ type: "tessera:hello", publishableKey: "pk_x" }, vault, [port2]);
      return new Promise<boolean>((resolve) => {
        port1.onmessage = () => resolve(true);
        setTimeout(() => resolve(false), 300);
      });
    };
    expect(await page.frame("stranger")?.evaluate(greet, ["parent", edge.vault] as const)).toBe(false);
    expect(await page.evaluate(greet, ["self", edge.vault] as const)).toBe(true);
    // And only once: nobody takes the frame over later.
    expect(await page.evaluate(greet, ["self", edge.vault] as const)).toBe(false);
  });
});
