import { changeSettings, choice, count, flag, initialOf, type ValuesOf } from "../kit/settings.ts";

/** How this Redis goes wrong. Switches are the test's: they are not kept over a restart. */
export const switches = {
  /** Every connection is reset as soon as a request begins. The control still answers. */
  down: flag(false),
  /** How long a request waits before it is executed, in milliseconds. */
  latencyMs: count(0),
  /** How long an answer waits after the request was executed, in milliseconds. */
  answerDelayMs: count(0),
  /**
   * What is answered in place of the truth, after the commands were executed: bytes that are no JSON, JSON of another
   * form, values that nobody has written, values of 4 MB, values without an end of their life, or another key's value.
   */
  garbage: choice("none", ["none", "bytes", "json", "values", "huge", "endless", "mixed_up"]),
  /** What is written is evicted at once. */
  forgets: flag(false),
  /** Requests beyond this many in a second are answered 429; 0 is no limit. */
  requestsPerSecond: count(0),
};

export type Switches = ValuesOf<typeof switches>;

export const initialSwitches = (): Switches => initialOf(switches);
export const changeSwitches = (current: Switches, change: unknown): Switches =>
  changeSettings(switches, current, change);
