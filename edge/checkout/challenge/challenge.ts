import type { FromChallenge } from "../../three-ds/protocol.ts";
import { keepApartFromPage } from "./apart-from-page.ts";
import { ChallengeDialog } from "./challenge-dialog.ts";
import { ChallengeFrame } from "./challenge-frame.ts";
import { windowSizeFor, withWindowSize } from "./window-size.ts";

export type ChallengeOptions = {
  readonly edgeOrigin: string;
  readonly acsUrl: string;
  readonly creq: string;
  /** What is paid to whom, for the payer. */
  readonly about: string;
  /** Where the dialog is put: the checkout's shadow root. */
  readonly root: Node;
  /** Takes it away without an answer. */
  readonly signal: AbortSignal;
};

/** The issuer's page sent the browser back, or the payer stopped; what became of the payment it does not say. */
export type ChallengeEnd = "returned" | "stopped";

/** Longer than a slow network takes for a page. */
const LOADING_MS = 15_000;

/** Shows an issuer's challenge and waits for the payer. Null if it was taken away. */
export function showChallenge(options: ChallengeOptions): Promise<ChallengeEnd | null> {
  const { edgeOrigin, acsUrl, signal, root } = options;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null);
    const over = new AbortController();
    const end = (how: ChallengeEnd | null) => {
      if (over.signal.aborted) return;
      over.abort();
      clearTimeout(slow);
      frame?.close();
      dialog.close();
      resolve(how);
    };
    let frame: ChallengeFrame | undefined;
    let slow: ReturnType<typeof setTimeout>;
    const dialog = new ChallengeDialog(options.about, { stop: () => end("stopped"), reload: () => load() });
    signal.addEventListener("abort", () => end(null), { signal: over.signal });
    keepApartFromPage(dialog.element, over.signal);
    dialog.say("Opening your bank’s page…");
    const size = windowSizeFor(dialog.open(root));
    const creq = withWindowSize(options.creq, size);

    const heard = (message: FromChallenge) => {
      if (message === "returned") end("returned");
      if (message === "shown") {
        clearTimeout(slow);
        dialog.say("");
        dialog.canReload = false;
      }
      if (message === "refused") dialog.say("Your bank’s page cannot be shown here.", "bad");
    };
    const load = () => {
      clearTimeout(slow);
      frame?.close();
      frame = new ChallengeFrame(edgeOrigin, { acsUrl, creq }, heard);
      dialog.canReload = false;
      dialog.show(frame.element, size);
      slow = setTimeout(() => {
        // The likeliest reason on a new shop's page: its content policy.
        console.warn(`Tessera checkout: no page of the bank's yet. Is ${edgeOrigin} allowed by frame-src?`);
        dialog.say("Your bank’s page has not loaded yet. Please check your connection.", "bad");
        dialog.canReload = true;
      }, LOADING_MS);
    };
    load();
  });
}
