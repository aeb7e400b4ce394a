import { type FunctionDeclaration, func } from "./declaration.ts";
import { LIMITS } from "./limits.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const modulo = (value: number, by: number): number => ((value % by) + by) % by;

/** The functions of every environment: what the language itself knows of texts and moments. */
export const standardFunctions = <F>(): Readonly<Record<string, FunctionDeclaration<F>>> => ({
  lower: func(
    {
      parameters: [{ name: "text", kind: "text" }],
      gives: { kind: "text" },
      cost: 4,
      about: "the text with A to Z in lower case",
    },
    // A to Z alone, so that it means the same in every runtime whatever its version of Unicode.
    (_, text) =>
      text.length > LIMITS.factLength
        ? undefined
        : text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase()),
  ),
  length: func(
    {
      parameters: [{ name: "text", kind: "text" }],
      gives: { kind: "integer" },
      cost: 1,
      about: "how many characters the text has (UTF-16 code units)",
    },
    (_, text) => text.length,
  ),
  hour_utc: func(
    {
      parameters: [{ name: "moment", kind: "instant" }],
      gives: { kind: "integer" },
      cost: 1,
      about: "the hour of the day in UTC, 0 to 23",
    },
    (_, moment) => Math.floor(modulo(Number(moment), DAY_MS) / HOUR_MS),
  ),
  weekday_utc: func(
    {
      parameters: [{ name: "moment", kind: "instant" }],
      gives: { kind: "integer" },
      cost: 1,
      about: "the day of the week in UTC, 1 (Monday) to 7 (Sunday)",
    },
    // 1 January 1970 was a Thursday.
    (_, moment) => modulo(Math.floor(Number(moment) / DAY_MS) + 3, 7) + 1,
  ),
});
