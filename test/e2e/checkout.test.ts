import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, FrameLocator, Page, Request } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectBooksToAgree } from "../support/agreement.ts";
import { browserForTests, launchBrowser } from "../support/browser.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

/**
 * A payer in a real browser buys from the demo shop on the complete platform. Screenshots go to
 * TEST_SCREENSHOTS, if that is set.
 */
describe.skipIf(browserForTests.path === null)("the checkout on the complete platform", () => {
  let platform: Platform;
  let browser: Browser;
  let page: Page;
  let sent: Request[];
  let seen = 0;

  beforeAll(async () => {
    platform = await startPlatform({ regionEnv: { PROVIDER_DEADLINE_MS: "2000" } });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
  });
  beforeEach(async () => {
    await page?.close();
    await platform.sandbox.clearFaults();
    seen = (await platform.sandbox.book()).movements.length;
  });

  const fields = (): FrameLocator => page.frameLocator("iframe");
  const pay = () => page.getByRole("button");
  const status = () => page.getByRole("status");
  /** What the provider's book got since the test began. */
  const movements = async () =>
    (await platform.sandbox.book()).movements.slice(seen).map(({ kind, amount }) => `${kind} ${amount}`);

  async function open(): Promise<void> {
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    sent = [];
    page.on("request", (request) => sent.push(request));
    await page.goto(platform.stack.urls.checkout);
    await page.getByRole("button", { name: "Buy now" }).click();
    await fields().locator("#number").waitFor();
  }

  async function type(number: string): Promise<void> {
    for (const [field, text] of [
      ["#number", number],
      ["#expiry", "1230"],
      ["#cvc", "123"],
    ] as const) {
      await fields().locator(field).fill("");
      await fields().locator(field).pressSequentially(text);
    }
  }

  async function screenshot(name: string): Promise<void> {
    const folder = process.env["TEST_SCREENSHOTS"];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }

  const latestPayment = async () => {
    const { data } = await platform.request(
      "{ payments(first: 1) { nodes { id state capturedAmount { formatted } journals { cause } checkoutSession { status attempt } } } }",
    );
    return data.payments.nodes[0];
  };

  it("pays with 4242 4242 4242 4242, and the shop's server sees it captured", async () => {
    await open();
    await type("4242424242424242");
    await screenshot("1-filled");
    await pay().click();
    await page.getByText("Payment complete").waitFor();
    await screenshot("2-complete");
    expect(await latestPayment()).toMatchObject({
      state: "CAPTURED",
      capturedAmount: { formatted: "49.00 EUR" },
      journals: [{ cause: "SALE" }],
      checkoutSession: { status: "COMPLETE", attempt: 0 },
    });
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
  });

  it("never shows the card number to the shop's page, the api worker or the region", async () => {
    await open();
    await type("4242424242424242");
    await pay().click();
    await page.getByText("Payment complete").waitFor();
    const { vault } = platform.stack.urls;
    for (const request of sent) {
      const text = `${request.url()} ${request.postData() ?? ""} ${JSON.stringify(await request.allHeaders())}`;
      // Not even the vault gets it in the clear.
      expect(text.replaceAll(/\s/g, ""), request.url()).not.toContain("4242424242424242");
    }
    const tokenizing = sent.filter(
      (request) => request.url().startsWith(vault) && request.method() === "POST",
    );
    expect(tokenizing.map((request) => new URL(request.url()).pathname)).toEqual(["/v1/tokens"]);
    expect(await page.content()).not.toContain("4242424242424242");
    // The page's scripts cannot reach into the iframe, which is on the vault's origin.
    const reach = await page.evaluate(() => {
      const frame =
        document.querySelector("#checkout > *")?.shadowRoot?.querySelector("iframe") ??
        document.querySelector("iframe");
      try {
        return String(frame?.contentDocument?.body?.innerHTML);
      } catch (error) {
        return String(error);
      }
    });
    expect(reach).not.toContain("cardnumber");
  });

  it("tells the payer clearly that a card is declined, and takes another one", async () => {
    await open();
    await type("4000000000009995");
    await pay().click();
    await page.getByText("The card does not have enough funds").waitFor();
    await screenshot("3-declined");
    expect(await status().innerText()).toContain("Try another card");
    expect(await movements()).toEqual([]);
    await type("4242424242424242");
    await pay().click();
    await page.getByText("Payment complete").waitFor();
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
    expect(await latestPayment()).toMatchObject({ checkoutSession: { status: "COMPLETE", attempt: 1 } });
  });

  it("pays once for a double click", async () => {
    await open();
    await type("4242424242424242");
    await pay().dblclick();
    await page.getByText("Payment complete").waitFor();
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
  });

  it("waits for a payment whose answer was lost, and says what became of it", async () => {
    await platform.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    await open();
    await type("4242424242424242");
    await pay().click();
    await page
      .getByText(/bank is confirming/)
      .first()
      .waitFor();
    await screenshot("4-pending");
    await page.getByText("Payment complete").waitFor({ timeout: 60_000 });
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
  });

  it("leaves books that agree to the cent", async () => {
    expect(await expectBooksToAgree(platform)).toBe(6);
  });
});
