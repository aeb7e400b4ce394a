import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { browserForTests, launchBrowser } from "../../support/browser.ts";
import { decode, encode } from "./messages.ts";
import { areqFor, ask, creqFor, type Json, type Stage, startStage, until } from "./test-harness.ts";

/**
 * The challenge in a real browser, in a frame as a checkout shows it. Screenshots go to TEST_SCREENSHOTS, if
 * that is set.
 */
const SIZES = {
  "01": [250, 400],
  "02": [390, 400],
  "03": [500, 600],
  "04": [600, 400],
  "05": [1_000, 800],
} as const;
type Size = keyof typeof SIZES;

describe.skipIf(browserForTests.path === null)("the challenge page", () => {
  let stage: Stage;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    stage = await startStage();
    browser = await launchBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });
  beforeEach(async () => {
    await page?.close();
    stage.listener.results.length = 0;
    stage.listener.brought.length = 0;
  });

  /** Opens the challenge in a frame of one of the standard sizes. */
  async function open(size: Size, change: Json = {}): Promise<FrameLocator> {
    const ares = await ask(stage, areqFor(stage, "4000002760003184", change));
    const [width, height] = SIZES[size];
    page = await browser.newPage({ viewport: { width: 1_040, height: 840 } });
    await page.setContent(`<!doctype html><title>Shop</title>
      <iframe name="acs" width="${width}" height="${height}" style="border:0" title="Your bank"></iframe>
      <form method="post" target="acs" action="${ares["acsURL"]}">
      <input type="hidden" name="creq" value="${creqFor(ares, size)}"></form>
      <script>document.forms[0].submit()</script>`);
    const frame = page.frameLocator("iframe");
    await frame.locator("#code").waitFor();
    return frame;
  }
  const code = (frame: FrameLocator) => frame.getByLabel("Code");
  const cameBack = () => until(() => stage.listener.brought[0]?.get("cres"));

  async function screenshot(name: string): Promise<void> {
    const folder = process.env["TEST_SCREENSHOTS"];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `acs-${name}.png`) });
  }

  it.each(Object.keys(SIZES) as Size[])("fits into window size %s", async (size) => {
    const frame = await open(size);
    await screenshot(size);
    const [width, height] = SIZES[size];
    const body = frame.locator("body");
    expect(await body.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    // Everything that has to be pressed is seen without scrolling.
    const cancel = await frame.getByRole("button", { name: "Cancel" }).boundingBox();
    const top = (await page.locator("iframe").boundingBox())?.y ?? 0;
    expect((cancel?.y ?? 0) + (cancel?.height ?? 0) - top).toBeLessThanOrEqual(height);
  });

  it("is used by keyboard alone, and says aloud what was wrong", async () => {
    const frame = await open("03");
    await code(frame).focus();
    await page.keyboard.type("99");
    await page.keyboard.press("Enter");
    await frame.getByRole("alert").waitFor();
    expect(await frame.getByRole("alert").textContent()).toContain("2 tries");
    expect(await code(frame).getAttribute("aria-invalid")).toBe("true");
    expect(await code(frame).getAttribute("aria-describedby")).toBe("hint problem");
    await screenshot("wrong");
    await code(frame).focus();
    await page.keyboard.type("1234");
    await page.keyboard.press("Tab");
    expect(await frame.locator(":focus").textContent()).toBe("Confirm");
    await page.keyboard.press("Tab");
    expect(await frame.locator(":focus").textContent()).toBe("Cancel");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    expect(decode((await cameBack()) ?? null)).toMatchObject({ messageType: "CRes", transStatus: "Y" });
    // By then the directory had told, and been answered.
    expect(stage.listener.results).toHaveLength(1);
  });

  it("is left by cancelling, without a code", async () => {
    const frame = await open("02");
    await frame.getByRole("button", { name: "Cancel" }).click();
    expect(decode((await cameBack()) ?? null)).toMatchObject({ transStatus: "N" });
    expect(stage.listener.results[0]?.message).toMatchObject({ challengeCancel: "01" });
  });

  it("says which language it speaks", async () => {
    const frame = await open("02", { browserLanguage: "fr-CA" });
    expect(await frame.locator("html").getAttribute("lang")).toBe("fr");
    expect(await frame.getByRole("button", { name: "Annuler" }).count()).toBe(1);
    await screenshot("fr");
  });

  it("brings back what the 3DS Method found out", async () => {
    page = await browser.newPage();
    const data = encode({
      threeDSServerTransID: "t-1",
      threeDSMethodNotificationURL: `${stage.listener.url}/method`,
    });
    await page.setContent(`<!doctype html><form method="post" action="${stage.url}/acs/method">
      <input name="threeDSMethodData" value="${data}"></form><script>document.forms[0].submit()</script>`);
    const field = await until(() => stage.listener.brought[0]?.get("threeDSMethodData"));
    expect(decode(field)).toEqual({ threeDSServerTransID: "t-1" });
  });
});
