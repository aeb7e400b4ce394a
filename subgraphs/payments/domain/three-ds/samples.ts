import type { Browser } from "./browser.ts";
import type { Requestor } from "./request.ts";

/** Values for tests. */
export const browserSample = (): Browser => ({
  userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
  language: "en-GB",
  javaEnabled: false,
  colorDepth: 24,
  screenWidth: 1_440,
  screenHeight: 900,
  timeZoneOffset: -60,
  accept: "text/html,*/*;q=0.8",
  ip: "192.0.2.1",
});

export const requestorSample = (change: Partial<Requestor> = {}): Requestor => ({
  acquirerBin: "400551",
  acquirerMerchantId: "M-1",
  categoryCode: "5399",
  name: "Coaster Shop",
  country: "DE",
  id: "tessera-1",
  url: "https://shop.example",
  ...change,
});
