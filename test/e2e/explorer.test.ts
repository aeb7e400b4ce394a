import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserForTests, launchBrowser } from "../support/browser.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

/**
 * A developer opens the explorer by the launcher's link and runs the examples as they are. Screenshots go to
 * TEST_SCREENSHOTS, if that is set.
 */
describe.skipIf(browserForTests.path === null)("the explorer on the complete platform", () => {
  let platform: Platform;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** Every address that was asked for, and everything that the browser complained of, by any page of the test. */
  const asked: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    platform = await startPlatform();
    browser = await launchBrowser();
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.on("request", (request) => asked.push(request.url()));
    // Violations of the content policy are among them, those of workers as well.
    context.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    page = await context.newPage();
    await open(platform.stack.urls.explorer);
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
  });

  async function open(url: string): Promise<void> {
    await page.goto(url);
    await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  }

  const screenshot = async (name: string) => {
    const folder = process.env["TEST_SCREENSHOTS"];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `explorer-${name}.png`) });
  };

  const account = () => page.locator(".account").textContent();

  /** Chooses an example in the list, runs it with the button, and gives the answer that comes for it. */
  async function run(example: string): Promise<any> {
    await page.locator(`[data-example="${example}"]`).click();
    const answered = page.waitForResponse((response) => {
      const { query = "" } = (response.request().postDataJSON() ?? {}) as { query?: string };
      const isOwn = /MadeByTheExplorer|StatesOfOwnPayments|NewestPayment|WhoseKey|IntrospectionQuery/.test(
        query,
      );
      return response.url().endsWith("/graphql") && !isOwn;
    });
    await page.getByRole("button", { name: /Execute query/ }).click();
    const body = (await (await answered).json()) as { data: unknown; errors?: unknown };
    expect(body.errors).toBeUndefined();
    return body.data;
  }

  const shownAnswer = () => page.locator(".result-window").textContent();

  it("takes the key out of the address, keeps it for the tab, and says whose it is", async () => {
    await expect.poll(account).toBe("Tessera Demo Shop");
    expect(page.url()).toBe(`${platform.stack.urls.edge}/explorer/`);
    const stored = await page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage)]);
    expect(stored[0]).toContain(platform.stack.merchant.secretKey);
    expect(stored[1]).not.toContain("sk_");
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await screenshot("opened");
  });

  it("has fetched the schema through the gateway: its documentation shows it", async () => {
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    await page.getByRole("link", { name: "Mutation", exact: true }).click();
    await page.getByText("Authorizes a card payment and", { exact: false }).waitFor();
    await screenshot("documentation");
    await page.getByRole("button", { name: "Show Examples" }).click();
  });

  it("runs every example as it is", async () => {
    expect((await run("viewer")).viewer).toMatchObject({ name: "Tessera Demo Shop" });
    const { authorizePayment } = await run("authorize-payment");
    expect(authorizePayment).toMatchObject({ __typename: "Payment", state: "AUTHORIZED" });
    await expect.poll(shownAnswer).toContain(authorizePayment.id);
    expect(await page.locator(".filled-in").textContent()).toMatch(/\{\{newKey\}\}[0-9a-f-]{36}.*tok_/);
    await screenshot("authorized");

    // The payment that was just authorized, then refunded in part; and again, which is not a repetition.
    const { capturePayment } = await run("capture-payment");
    expect(capturePayment).toMatchObject({ id: authorizePayment.id, state: "CAPTURED" });
    for (const refunded of ["5.00 EUR", "10.00 EUR"]) {
      const { refundPayment } = await run("refund-payment");
      expect(refundPayment).toMatchObject({
        id: authorizePayment.id,
        refundedAmount: { formatted: refunded },
      });
    }
    // None is authorized any more: one is made for it.
    const { voidPayment } = await run("void-payment");
    expect(voidPayment).toMatchObject({ __typename: "Payment", state: "VOIDED" });
    expect(voidPayment.id).not.toBe(authorizePayment.id);

    expect((await run("payments")).payments.nodes).toHaveLength(2);
    const { payment } = await run("payment");
    expect(payment).toMatchObject({ id: voidPayment.id, risk: { decision: "ALLOW" } });
    expect(payment.operations).toHaveLength(2);
    expect(payment.journals.map(({ cause }: { cause: string }) => cause)).toEqual(["AUTHORIZATION", "VOID"]);
    const { createCheckoutSession } = await run("create-checkout-session");
    expect(createCheckoutSession).toMatchObject({ __typename: "CheckoutSession", status: "OPEN" });
    expect((await run("node")).node).toMatchObject({ __typename: "Payment", id: voidPayment.id });
  });

  it("still has its key and its token after a reload", async () => {
    await page.reload();
    await page.locator(".graphiql-query-editor .view-line").first().waitFor();
    await expect.poll(account).toBe("Tessera Demo Shop");
    // The page remembers no payment now, and makes one.
    const { refundPayment } = await run("refund-payment");
    expect(refundPayment).toMatchObject({
      state: "PARTIALLY_REFUNDED",
      refundedAmount: { formatted: "5.00 EUR" },
    });
  });

  it("has asked no other origin for anything, and met its content policy", async () => {
    expect(asked.filter((url) => !url.startsWith(`${platform.stack.urls.edge}/`))).toEqual([]);
    expect(asked.filter((url) => /sk_|tok_/.test(url.replace(/#.*/, "")))).toEqual([]);
    // Monaco's workers are files of ours: the editor would run without them, badly.
    expect(asked.filter((url) => /(graphql|json|editor)\.worker-[\w-]+\.js$/.test(url))).not.toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("says clearly that a key is not accepted", async () => {
    const key = platform.stack.merchant.secretKey;
    await page.getByLabel("Secret key").fill(`${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`);
    await page.keyboard.press("Enter");
    expect(await page.locator(".notice").textContent()).toContain("not accepted (401)");
    await screenshot("refused");
    await page.getByLabel("Secret key").fill(key);
    await page.keyboard.press("Enter");
    await expect.poll(account).toBe("Tessera Demo Shop");
  });
});
