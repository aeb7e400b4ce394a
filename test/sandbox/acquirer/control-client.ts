/** The switches from the test's side. */

import { SandboxControl } from "../kit/control-client.ts";
import type { AcquirerWorld } from "./acquirer-world.ts";
import type { TestCard } from "./test-cards.ts";

export class AcquirerSandboxControl extends SandboxControl<AcquirerWorld> {
  /** All test cards, those for each response code included. */
  cards(): Promise<readonly TestCard[]> {
    return this.call("GET", "/cards");
  }
}
