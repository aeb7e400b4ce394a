import { CheckoutPayment, type MountOptions } from "./payment.ts";

/**
 * The checkout, as merchants load it from `/v1/checkout.js`:
 *
 *   <script src="https://EDGE/v1/checkout.js"></script>
 *   <script>Tessera.mount("#checkout", { publishableKey: "pk_…", clientSecret: "cs_…" })</script>
 *
 * It talks to the origin that it was loaded from. A page's content policy needs that origin in script-src, connect-src
 * and frame-src (for 3-D Secure, whose pages at banks it frames itself), and the vault's in frame-src.
 *
 * The page that mounts it must be one that can be loaded again with the same client secret, at the session's
 * `returnUrl`: a bank's page may send the payer back to it, and who closes the tab may open it again. It then goes on
 * where the payment stands.
 */

// The api worker writes the vault's origin in here when it serves this file (edge/http/static-routes.ts).
const VAULT_ORIGIN = "https://vault.invalid";

const script = document.currentScript as HTMLScriptElement | null;
if (script === null) throw new Error("Load checkout.js with a classic script element.");
const edgeOrigin = new URL(script.src).origin;

/** Shows the checkout in an element of the page, in place of what is in it. */
function mount(target: string | Element, options: MountOptions): { unmount(): void } {
  const container = typeof target === "string" ? document.querySelector(target) : target;
  if (container === null)
    throw new Error(`Tessera.mount: no element matches ${typeof target === "string" ? target : "it"}`);
  if (!options?.publishableKey?.startsWith("pk_"))
    throw new Error("Tessera.mount: publishableKey must be a publishable key (pk_…)");
  if (typeof options.clientSecret !== "string" || options.clientSecret === "")
    throw new Error("Tessera.mount: clientSecret must be that of a checkout session");
  const payment = new CheckoutPayment(container, options, edgeOrigin, VAULT_ORIGIN);
  return { unmount: () => payment.unmount() };
}

declare global {
  interface Window {
    Tessera: { mount: typeof mount };
  }
}

window.Tessera = { mount };
