import * as v from "valibot";

/** What both workers need to read their bindings once and strictly. */

/** A binding that is JSON text, parsed and held to `schema`. */
export function jsonText<S extends v.GenericSchema>(schema: S) {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return JSON.parse(dataset.value) as unknown;
      } catch {
        addIssue({ message: "is not JSON" });
        return NEVER;
      }
    }),
    schema,
  );
}

/** Development secrets are made by dev-secrets.ts with this prefix in their ids, so that production can tell. */
export const DEVELOPMENT_KEY_PREFIX = "dev-";

export function refuseDevelopmentKeys(name: string, ids: readonly string[]): void {
  const found = ids.find((id) => id.startsWith(DEVELOPMENT_KEY_PREFIX));
  if (found !== undefined) throw new Error(`${name}: "${found}" is a development key, refused in production`);
}

/**
 * Reads the environment once per isolate: bindings do not change while one lives. The value is kept, not the
 * promise: a promise belongs to the request that made it and never settles if that request is cancelled.
 */
export function oncePerIsolate<Env extends object, Settings>(
  read: (env: Env) => Promise<Settings>,
): (env: Env) => Promise<Settings> {
  let settings: Settings | undefined;
  return async (env) => {
    settings ??= await read(env);
    return settings;
  };
}
