import { AsyncLocalStorage } from "node:async_hooks";

/** A named step of a request and how long it took, in ms. */
export type Step = { readonly name: string; readonly ms: number };

const current = new AsyncLocalStorage<Step[]>();

/** Runs `work` and collects the steps that `timed` takes inside it. */
export async function collectSteps<T>(work: () => Promise<T>): Promise<{ value: T; steps: readonly Step[] }> {
  const steps: Step[] = [];
  const value = await current.run(steps, work);
  return { value, steps };
}

/** Times `work` as a step of the request that is being collected, if one is. */
export async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const steps = current.getStore();
  if (steps === undefined) return work();
  const from = performance.now();
  try {
    return await work();
  } finally {
    steps.push({ name, ms: performance.now() - from });
  }
}

/** The steps as a Server-Timing header (W3C): `commit-1;dur=2.1, provider;dur=35.0`. */
export function serverTiming(steps: readonly Step[]): string {
  return steps.map(({ name, ms }) => `${name};dur=${ms.toFixed(1)}`).join(", ");
}
