import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BankShopping, REFUSED } from "../../test/support/bank-shopping.ts";
import type { CheckoutDouble } from "../testing/checkout-double.ts";
import { chromiumForTests as found } from "../testing/shopping.ts";

/** What a payer has to do elsewhere: on a page of the bank's or the provider's, or in the bank's app. */
if (found.path === null) console.warn(`tests of the payer at the bank SKIPPED: ${found.why}`);

describe.skipIf(found.path === null)("a payer who is needed elsewhere", () => {
  const shopping = new BankShopping();
  let checkout: CheckoutDouble;
  let page: Page;

  beforeAll(() => shopping.start());
  afterAll(() => shopping.stop());
  beforeEach(async () => {
    checkout = await shopping.beginWithBank();
    checkout.act = () => Promise.resolve({ type: "REDIRECT", url: bank() });
  });
  afterEach(async () => {
    expect(shopping.problems).toEqual([]);
    await page.context().close();
  });
  const bank = () => `${shopping.stage.listener.url}/bank`;
  const host = () => new URL(bank()).host;
  const secret = () => [...checkout.sessions.keys()][0] ?? "";

  it("is told where to, goes there, and goes on afterwards", async () => {
    page = await shopping.pay();
    await page.getByText(`Taking you to ${host()} to confirm the payment.`).waitFor();
    await page.waitForURL(bank());
    const { returnUrl = "" } = checkout.creations[0] ?? {};
    // The provider is asked because the payer is back.
    checkout.resumed = (clientSecret) => checkout.conclude(clientSecret, "complete");
    await page.goto(returnUrl);
    await shopping.complete();
    expect(checkout.begun).toBe(1);
    expect(checkout.confirmations[1]).toMatchObject({ token: null, attempt: 1 });
  });

  it("is sent away again by a press of the button only", async () => {
    page = await shopping.pay();
    await page.waitForURL(bank());
    await page.goBack();
    const go = page.getByRole("button", { name: `Continue to ${host()}` });
    await go.waitFor();
    await page.waitForTimeout(1_200);
    expect(page.url()).toContain(shopping.shopUrl);
    await shopping.screenshot("redirect-again");
    await go.click();
    await page.waitForURL(bank());
    expect(checkout.begun).toBe(1);
  });

  it("goes nowhere but to https, or to this machine in development", async () => {
    checkout.act = () => Promise.resolve({ type: "REDIRECT", url: "javascript:alert(document.domain)" });
    page = await shopping.pay();
    await page.getByText("Your bank is confirming the payment").waitFor();
    await page.waitForTimeout(1_200);
    expect(page.url()).toContain(shopping.shopUrl);
    checkout.conclude(secret(), "declined", REFUSED);
    await page.getByText(REFUSED).waitFor();
  });

  it("sees the time that is left for the bank's app", async () => {
    const until = new Date(Date.now() + 300_000).toISOString();
    checkout.act = () => Promise.resolve({ type: "DECOUPLED", until });
    page = await shopping.pay({ viewport: { width: 320, height: 640 } });
    await page.getByText("Please confirm this payment of 49.00 EUR in your bank’s app.").waitFor();
    const timer = page.getByRole("timer");
    expect(await timer.innerText()).toMatch(/^Time left: [45]:\d\d$/);
    await shopping.screenshot("decoupled");
    checkout.conclude(secret(), "complete");
    await shopping.complete();
    expect(await timer.count()).toBe(0);
    // The session was read, and the attempt confirmed once.
    expect(checkout.confirmations).toHaveLength(1);
  });

  it("finds out by a press of the button what became of it, if that could not be asked", async () => {
    page = await shopping.pay();
    await page.waitForURL(bank());
    const answer = shopping.edge.region.answer;
    let broken = true;
    shopping.edge.region.answer = (request) =>
      broken && request.body.includes("confirmCheckoutSession") ? "reset" : answer(request);
    await page.goBack();
    await page.getByText("you will not be charged twice").waitFor();
    broken = false;
    checkout.resumed = (clientSecret) => checkout.conclude(clientSecret, "complete");
    await page.getByRole("button", { name: "Try again" }).click();
    await shopping.complete();
    expect(checkout.begun).toBe(1);
  });
});
