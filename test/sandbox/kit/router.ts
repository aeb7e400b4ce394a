/**
 * Finds what belongs to a method and a path such as `/v1/payments/:id/captures`.
 */

/** What was found, and the ids in the path, in the order of its colons. */
export type Found<V> = { readonly value: V; readonly ids: readonly string[] };

export class Router<V> {
  readonly #byShape = new Map<string, { readonly segments: readonly string[]; readonly value: V }[]>();

  /** Routes are tried in the order given, so a literal path comes before one with an id in its place. */
  constructor(routes: Iterable<readonly [method: string, path: string, value: V]>) {
    for (const [method, path, value] of routes) {
      const segments = path.split("/");
      const shape = `${method} ${segments.length}`;
      const alike = this.#byShape.get(shape);
      if (alike === undefined) this.#byShape.set(shape, [{ segments, value }]);
      else alike.push({ segments, value });
    }
  }

  find(method: string, path: string): Found<V> | undefined {
    const given = path.split("/");
    for (const { segments, value } of this.#byShape.get(`${method} ${given.length}`) ?? []) {
      const matches = segments.every((segment, index) =>
        segment.startsWith(":") ? given[index] !== "" : segment === given[index],
      );
      if (matches) return { value, ids: given.filter((_, index) => segments[index]?.startsWith(":")) };
    }
    return undefined;
  }
}
