import { invariant } from "../result.ts";
import type { Field, FunctionDeclaration, ListDeclaration } from "./declaration.ts";
import { LIMITS } from "./limits.ts";
import { standardFunctions } from "./standard.ts";
import { NAME, WORDS } from "./syntax.ts";

export type { Field, FunctionDeclaration, ListDeclaration, Parameter, Read } from "./declaration.ts";
export { field, func } from "./declaration.ts";

export type Declaration<F> = {
  readonly fields: Readonly<Record<string, Field<F>>>;
  readonly functions?: Readonly<Record<string, FunctionDeclaration<F>>>;
  readonly lists?: Readonly<Record<string, ListDeclaration<F>>>;
  /** Steps of one evaluation at most; LIMITS.cost unless said otherwise. */
  readonly maxCost?: number;
  /** Hears of what a reader, function or list of ours threw; the evaluation takes it for missing and goes on. */
  readonly onFault?: (name: string, error: unknown) => void;
};

/** What expressions can speak of. Made once; expressions are compiled against it. */
export type Environment<F> = {
  readonly fields: ReadonlyMap<string, Field<F>>;
  readonly functions: ReadonlyMap<string, FunctionDeclaration<F>>;
  readonly lists: ReadonlyMap<string, ListDeclaration<F>>;
  readonly maxCost: number;
  readonly onFault: (name: string, error: unknown) => void;
};

/** Declares an environment over facts of type `F`. Throws for names that no expression could write. */
export function declare<F>(declaration: Declaration<F>): Environment<F> {
  const { fields, functions = {}, lists = {}, maxCost = LIMITS.cost, onFault = () => {} } = declaration;
  for (const name of Object.keys(fields)) checkName(name, true);
  for (const name of [...Object.keys(functions), ...Object.keys(lists)]) checkName(name, false);
  const standard = standardFunctions<F>();
  for (const name of [...Object.keys(standard), "instant"])
    invariant(!Object.hasOwn(functions, name), `the standard function ${name} is not declared again`);
  return {
    fields: new Map(Object.entries(fields)),
    functions: new Map([...Object.entries(standard), ...Object.entries(functions)]),
    lists: new Map(Object.entries(lists)),
    maxCost,
    onFault,
  };
}

/** The same environment with more lists, as each merchant has its own. */
export function withLists<F>(
  environment: Environment<F>,
  lists: Readonly<Record<string, ListDeclaration<F>>>,
): Environment<F> {
  for (const name of Object.keys(lists)) checkName(name, false);
  return { ...environment, lists: new Map([...environment.lists, ...Object.entries(lists)]) };
}

function checkName(name: string, dots: boolean): void {
  invariant(NAME.test(name) && (dots || !name.includes(".")), `a declared name is one: ${name}`);
  invariant(!WORDS.has(name), `a declared name is not a word of the language: ${name}`);
}
