import { readFileSync } from "node:fs";
import { Kind } from "graphql";
import { describe, expect, it } from "vitest";
import { subgraphSchema } from "../../../schema/compose.ts";
import { CHART } from "../accounts.ts";
import { CAUSES } from "../commit.ts";

/** docs/chart-of-accounts.md: its journals add up, and its accounts are those that there are. */
const page = readFileSync(new URL("../../../docs/chart-of-accounts.md", import.meta.url), "utf8");

type Cells = readonly string[];
type Table = { readonly header: Cells; readonly rows: readonly Cells[] };
type Section = { readonly title: string; readonly tables: readonly Table[] };

const sections = (text: string, mark: string): Section[] =>
  text
    .split(new RegExp(`^${mark} `, "m"))
    .slice(1)
    .map((part) => ({ title: part.split("\n", 1)[0] ?? "", tables: tablesOf(part) }));

function tablesOf(text: string): Table[] {
  const found = text.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return found.map((table) => {
    const lines = table.trim().split("\n");
    const [header, , ...rows] = lines.map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    return { header: header ?? [], rows };
  });
}

/** "100.00 EUR" in cents. */
function amountOf(cell: string): { minor: bigint; currency: string } | null {
  const amount = /^(\d+)\.(\d\d)(?: ([A-Z]{3}))?$/.exec(cell);
  return amount === null ? null : { minor: BigInt(`${amount[1]}${amount[2]}`), currency: amount[3] ?? "" };
}

const codeOf = (account: string): string => /^`([a-z_]+)(?::\w+)?`/.exec(account)?.[1] ?? account;

type Transfer = { kind: string; debit: string; credit: string; minor: bigint; currency: string };

/** A journal's transfers: a debit line that names the kind, and its credit line. */
function transfersOf({ rows }: Table): Transfer[] {
  expect(rows.length % 2).toBe(0);
  return Array.from({ length: rows.length / 2 }, (_, n) => {
    const [kind = "", debit = "", debited = "", left] = rows[2 * n] ?? [];
    const [none, credit = "", right, credited = ""] = rows[2 * n + 1] ?? [];
    expect([none, left, right], `lines ${2 * n} and ${2 * n + 1}`).toEqual(["", "", ""]);
    const [out, into] = [amountOf(debited), amountOf(credited)];
    expect(out, `${debit} and ${credit}`).toEqual(into);
    return { kind, debit, credit, minor: out?.minor ?? 0n, currency: out?.currency ?? "" };
  });
}

const isJournal = ({ header }: Table): boolean => header[0] === "kind";
const isBalances = ({ header }: Table): boolean => header[0] === "balance of";
const stories = sections(page, "##").filter(({ tables }) => tables.some(isJournal));

describe.each(stories)("$title", ({ tables }) => {
  it("adds up, journal by journal", () => {
    const sums = new Map<string, bigint[]>();
    const currencies = new Set(
      tables.filter(isJournal).flatMap((table) => transfersOf(table).map((t) => t.currency)),
    );
    const post = (account: string, side: 0 | 1, { kind, minor, currency }: Transfer) => {
      const name = currencies.size > 1 ? `${account} (${currency})` : account;
      const sum = sums.get(name) ?? [0n, 0n, 0n, 0n];
      if (kind === "single" || kind === "post") sum[side] = (sum[side] ?? 0n) + minor;
      if (kind !== "single") sum[side + 2] = (sum[side + 2] ?? 0n) + (kind === "pending" ? minor : -minor);
      expect(sum[side + 2], `what ${name} has pending`).toBeGreaterThanOrEqual(0n);
      sums.set(name, sum);
    };
    for (const table of tables) {
      if (isJournal(table)) {
        for (const transfer of transfersOf(table)) {
          expect(["single", "pending", "post", "release"]).toContain(transfer.kind);
          expect(Object.keys(CHART)).toEqual(
            expect.arrayContaining([codeOf(transfer.debit), codeOf(transfer.credit)]),
          );
          post(transfer.debit, 0, transfer);
          post(transfer.credit, 1, transfer);
        }
      } else if (isBalances(table)) {
        const shown = new Map(
          table.rows.map(([name = "", ...cells]) => [name, cells.map((c) => amountOf(c)?.minor)]),
        );
        expect(shown).toEqual(sums);
      }
    }
    expect(isBalances(tables.at(-1) as Table), "a story ends with its balances").toBe(true);
  });
});

it("lists the accounts that there are, as they are", () => {
  const [chart] = tablesOf(page) as [Table];
  const listed = chart.rows.map(([code = "", book, side, below]) => [codeOf(code), book, side, below]);
  const real = Object.entries(CHART).map(([code, { book, normalSide, overdraft }]) => [
    code,
    book,
    normalSide,
    overdraft ? "yes" : "no",
  ]);
  expect(listed).toEqual(real);
});

it("shows every cause of a payment's journals, and says of each event whether it is posted", () => {
  const events = sections(page, "###").map(({ title }) => title);
  for (const title of events) expect(title).toMatch(/\((today: `[a-z_]+`|later(, with cause `[a-z_]+`)?)\)$/);
  const causes = new Set(events.flatMap((title) => /`([a-z_]+)`\)$/.exec(title)?.[1] ?? []));
  expect([...causes].toSorted()).toEqual(CAUSES.filter((cause) => cause !== "adjustment").toSorted());
});

it("has the codes and causes that the API has", () => {
  const valuesOf = (name: string) =>
    subgraphSchema("ledger").definitions.flatMap((definition) =>
      definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === name
        ? (definition.values ?? []).map((value) => value.name.value.toLowerCase())
        : [],
    );
  expect(valuesOf("AccountCode").toSorted()).toEqual(Object.keys(CHART).toSorted());
  expect(valuesOf("JournalCause").toSorted()).toEqual([...CAUSES].toSorted());
});
