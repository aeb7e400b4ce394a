/** A test's hand on the Adyen sandbox's switches. */

import { SandboxControl } from "../kit/control-client.ts";
import type { AdyenWorld } from "./world.ts";

export class AdyenSandboxControl extends SandboxControl<AdyenWorld> {
  /** What the shopper does at the bank; gives where they are sent back to. */
  async bank(pspReference: string, outcome: "succeed" | "fail"): Promise<string> {
    const { location } = await this.call<{ location: string }>("POST", `/bank/${pspReference}`, { outcome });
    return location;
  }
}
