/** The control API from the test's side. */

import { SandboxControl } from "../kit/control-client.ts";
import type { BookEntry, Proof } from "./book.ts";
import type { ThreeDsWorld } from "./world.ts";

export class ThreeDsSandboxControl extends SandboxControl<ThreeDsWorld> {
  /** All authentications, or those of one 3DS server transaction. */
  async authentications(transaction?: string): Promise<readonly BookEntry[]> {
    const query = transaction === undefined ? "" : `?transaction=${transaction}`;
    return (await this.call<{ authentications: BookEntry[] }>("GET", `/book${query}`)).authentications;
  }

  proof(cavv: string): Promise<Proof> {
    return this.call("GET", `/cavv/${encodeURIComponent(cavv)}`);
  }

  /** The payer answers in the bank's app; `transaction` is the ACS's id or ours. */
  async decoupled(transaction: string, outcome: "Y" | "N"): Promise<void> {
    await this.call("POST", `/decoupled/${transaction}`, { outcome });
  }
}
