import type { Browser, FrameLocator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectBooksToAgree } from "../support/agreement.ts";
import { browserForTests, launchBrowser } from "../support/browser.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

/**
 * A payer in a real browser confirms with the sandbox's bank, on the complete platform: shop, edge, region, 3-D Secure
 * sandbox and provider. What the dialog does by itself is tried in edge/checkout/challenge.
 */
const CHALLENGED = "4000002760003184";
const FRICTIONLESS = "4000000000003055";
const ISSUER = 'iframe[title="Your bank’s page"]';

describe.skipIf(browserForTests.path === null)("3-D Secure on the complete platform", () => {
  let platform: Platform;
  let browser: Browser;
  let page: Page;
  let seen = 0;

  beforeAll(async () => {
    platform = await startPlatform({ threeDs: true, regionEnv: { PROVIDER_DEADLINE_MS: "2000" } });
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

  const fields = (): FrameLocator => page.frameLocator('iframe[title="Card details"]');
  const dialog = () => page.getByRole("dialog", { name: "Confirm with your bank" });
  const code = () => page.frameLocator(`dialog ${ISSUER}`).frameLocator(ISSUER).getByLabel("Code");
  const press = (name: string) => page.getByRole("button", { name }).click();
  const complete = () => page.getByText("Payment complete").waitFor({ timeout: 60_000 });

  async function buy(number: string): Promise<void> {
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    await page.goto(platform.stack.urls.checkout);
    await press("Buy now");
    await type(number);
    await press("Pay 49.00 EUR");
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

  /** The last wrong code of three brings the payer back without an alert. */
  async function enter(...codes: readonly string[]): Promise<void> {
    for (const [index, one] of codes.entries()) {
      const issuer = page.frameLocator(`dialog ${ISSUER}`).frameLocator(ISSUER);
      if (index > 0) await issuer.getByRole("alert").waitFor();
      await code().fill(one);
      await issuer.getByRole("button", { name: "Confirm" }).click();
    }
  }

  /** What the provider's book got since the test began. */
  const movements = async () =>
    (await platform.sandbox.book()).movements.slice(seen).map(({ kind, amount }) => `${kind} ${amount}`);

  const latestPayment = async () => {
    const { data } = await platform.request(
      "{ payments(first: 1) { nodes { state authentication { transStatus challenged liabilityShift } checkoutSession { status attempt } } } }",
    );
    return data.payments.nodes[0];
  };

  const PAID = {
    state: "CAPTURED",
    authentication: { transStatus: "Y", challenged: true, liabilityShift: true },
  };

  it("pays once after the right code, and the issuer bears fraud", async () => {
    await buy(CHALLENGED);
    await enter("1234");
    await complete();
    expect(await latestPayment()).toMatchObject({ ...PAID, checkoutSession: { status: "COMPLETE" } });
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
  });

  it("moves no money after three wrong codes, and another card pays", async () => {
    await buy(CHALLENGED);
    await enter("1", "2", "3");
    await page.getByRole("button", { name: "Pay 49.00 EUR" }).waitFor();
    expect(await dialog().count()).toBe(0);
    expect(await movements()).toEqual([]);
    await type(FRICTIONLESS);
    await press("Pay 49.00 EUR");
    await complete();
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
    expect(await latestPayment()).toMatchObject({ checkoutSession: { status: "COMPLETE", attempt: 1 } });
  });

  it("goes on in a tab that was closed and opened again, and charges once", async () => {
    await buy(CHALLENGED);
    await code().waitFor();
    const url = page.url();
    await page.close();
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    await page.goto(url);
    await dialog().waitFor();
    await enter("1234");
    await complete();
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
    expect(await latestPayment()).toMatchObject(PAID);
  });

  it("can be left and taken up again, and charges once", async () => {
    await buy(CHALLENGED);
    await code().waitFor();
    await press("Cancel");
    await press("Stop");
    await press("Confirm with your bank");
    await enter("1234");
    await complete();
    expect(await movements()).toEqual(["authorized 4900", "captured 4900"]);
  });

  it("leaves books that agree to the cent", async () => {
    expect(await expectBooksToAgree(platform)).toBeGreaterThan(0);
  });
});
