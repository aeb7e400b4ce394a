import type { FrameLocator, Locator, Page } from "playwright-core";
import type { Action, CheckoutDouble } from "../../edge/testing/checkout-double.ts";
import { Shopping } from "../../edge/testing/shopping.ts";
import {
  areqFor,
  ask,
  creqFor,
  type Json,
  type Stage,
  startStage,
} from "../sandbox/three-ds/test-harness.ts";

export type Confirmation = CheckoutDouble["confirmations"][number];

/** A card whose bank asks the payer. */
export const CHALLENGED = "4000002760003184";
/** What the double of the region says where the bank said no. */
export const REFUSED = "Your bank did not confirm this payment. Nothing was charged.";

const ISSUER = 'iframe[title="Your bank’s page"]';

/**
 * Shopping with authentication: the 3-D Secure sandbox's own challenge page in the frame, and a double of the region
 * that sends its AReqs and hears its RReqs. Screenshots go to TEST_SCREENSHOTS, if that is set.
 */
export class BankShopping extends Shopping {
  #stage: Stage | undefined;
  /** Client secrets by 3DS server transaction. */
  #payments = new Map<string, string>();

  override async start(): Promise<void> {
    [this.#stage] = await Promise.all([startStage(), super.start()]);
    const { listener } = this.#stage;
    const answer = listener.answer;
    // What a region does with an RReq: it authorizes, or it does not.
    listener.answer = (message) => {
      const { checkout } = this;
      const secret = this.#payments.get(message["threeDSServerTransID"]) ?? "";
      if (message["transStatus"] === "Y") {
        checkout.conclude(secret, "processing");
        setTimeout(() => checkout.conclude(secret, "complete"), 300);
      } else checkout.conclude(secret, "declined", REFUSED);
      return answer(message);
    };
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#stage?.close();
  }

  get stage(): Stage {
    if (this.#stage === undefined) throw new Error("start first");
    return this.#stage;
  }

  /** Before each test: payments need a challenge. */
  async beginWithBank(): Promise<CheckoutDouble> {
    super.begin();
    await this.stage.control.reset();
    await this.stage.control.settings({ webhooks: { retryDelayMs: 20 } });
    this.checkout.fate = "action";
    this.checkout.act = (confirmation) => this.challenge(CHALLENGED, confirmation);
    return this.checkout;
  }

  async challenge(number: string, { clientSecret }: Confirmation): Promise<Action> {
    const areq = areqFor(this.stage, number, { notificationURL: `${this.edge.api}/3ds/return` });
    this.#payments.set(areq["threeDSServerTransID"], clientSecret);
    const ares = await ask(this.stage, areq);
    return { type: "CHALLENGE", acsUrl: ares["acsURL"], creq: creqFor(ares, "05") };
  }

  /** Up to the press of the button. */
  async pay(options: Parameters<Shopping["buy"]>[0] = {}): Promise<Page> {
    const page = await this.buy(options);
    await this.type(CHALLENGED);
    await this.button().click();
    return page;
  }

  dialog = (): Locator => this.page.getByRole("dialog", { name: "Confirm with your bank" });
  press = (name: string): Promise<void> => this.page.getByRole("button", { name }).click();
  issuer = (): FrameLocator => this.page.frameLocator(`dialog ${ISSUER}`).frameLocator(ISSUER);
  code = (): Locator => this.issuer().getByLabel("Code");

  /** Enters codes one after the other at the bank's page. */
  async enter(...codes: readonly string[]): Promise<void> {
    for (const [index, one] of codes.entries()) {
      if (index > 0) await this.issuer().getByRole("alert").waitFor();
      await this.code().fill(one);
      await this.issuer().getByRole("button", { name: "Confirm" }).click();
    }
  }

  /** What the sandbox's book says of the first authentication. */
  async authentication(): Promise<Json> {
    return (await this.stage.control.authentications())[0] as unknown as Json;
  }

  /** The text or the title of what has the focus, through shadow roots, but not through frames. */
  focused = (): Promise<string | undefined> =>
    this.page.evaluate(() => {
      let at = document.activeElement;
      while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
      if (at === document.body) return "nothing";
      return at?.textContent || at?.getAttribute("title") || at?.tagName;
    });

  async screenshot(name: string): Promise<void> {
    const folder = process.env["TEST_SCREENSHOTS"];
    if (folder !== undefined) await this.page.screenshot({ path: `${folder}/${name}.png` });
  }
}
