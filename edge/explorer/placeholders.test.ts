import { expect, it, vi } from "vitest";
import { Obstacle } from "./api.ts";
import { fillIn, type Placeholder } from "./placeholders.ts";

const valueOf = vi.fn(async (name: Placeholder) => `<${name}>`);

it("fills in whole strings, at any depth, and leaves everything else as it is", async () => {
  const { variables, filledIn } = await fillIn(
    { input: { key: "{{newKey}}", ids: ["{{ payment }}", 1, null, true], text: "a {{newKey}} b" } },
    valueOf,
  );
  expect(variables).toEqual({
    input: { key: "<newKey>", ids: ["<payment>", 1, null, true], text: "a {{newKey}} b" },
  });
  expect(filledIn).toEqual([
    { name: "newKey", value: "<newKey>" },
    { name: "payment", value: "<payment>" },
  ]);
});

it("gives one value to a placeholder that stands in two places", async () => {
  let count = 0;
  const { variables } = await fillIn(["{{newKey}}", "{{newKey}}"], async () => `key ${++count}`);
  expect(variables).toEqual(["key 1", "key 1"]);
});

it("takes no variables for what they are", async () => {
  expect(await fillIn(undefined, valueOf)).toEqual({ variables: undefined, filledIn: [] });
});

it.each(["{{nothing}}", "{{toString}}"])("says which placeholders there are, for %s", async (unknown) => {
  const failed = fillIn({ id: unknown }, valueOf);
  await expect(failed).rejects.toThrow(Obstacle);
  await expect(failed).rejects.toThrow(/\{\{newKey\}\}, \{\{cardToken\}\}/);
});
