/** `BrowserInput` of the API: what issuers' risk analysis reads (EMV 3-D Secure, table A.1, browser fields). */
export type BrowserInformation = {
  readonly userAgent: string;
  readonly language: string;
  readonly javaEnabled: boolean;
  readonly colorDepth: number;
  readonly screenWidth: number;
  readonly screenHeight: number;
  readonly timeZoneOffset: number;
};

const LONGEST_USER_AGENT = 4_096;

/** Within the API's bounds, whatever the browser claims to be: a payment must not fail for an odd one. */
export function browserInformation(): BrowserInformation {
  const { userAgent, language } = navigator;
  const javaEnabled = (navigator as { javaEnabled?: () => boolean }).javaEnabled?.() === true;
  return {
    userAgent: userAgent.slice(0, LONGEST_USER_AGENT) || "unknown",
    language: /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(language) ? language.slice(0, 64) : "en",
    javaEnabled,
    colorDepth: Math.min(Math.max(Math.round(screen.colorDepth) || 24, 1), 64),
    screenWidth: pixels(screen.width),
    screenHeight: pixels(screen.height),
    timeZoneOffset: new Date().getTimezoneOffset(),
  };
}

const pixels = (length: number): number => Math.min(Math.max(Math.round(length) || 0, 0), 999_999);
