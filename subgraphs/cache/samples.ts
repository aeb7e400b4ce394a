import { z } from "zod";
import type { CacheOptions, Codec } from "./cache.ts";

/** For tests of the cache. */
export type Sample = { readonly text: string };

const form = z.strictObject({ text: z.string() });
export const sampleCodec = (version = 1): Codec<Sample> => ({
  version,
  encode: (value) => JSON.stringify(value),
  decode: (text) => form.parse(JSON.parse(text)),
});

/** Time that moves only when it is told to. */
export class ManualTime {
  ms = 0;
  readonly now = () => this.ms;
}

export const sampleOptions = (overrides: Partial<CacheOptions<Sample>> = {}): CacheOptions<Sample> => ({
  name: "sample",
  codec: sampleCodec(),
  ttlMs: 60_000,
  memory: { entries: 100, bytes: 1_000_000 },
  absence: { ttlMs: 5_000, entries: 10 },
  shared: null,
  random: () => 0,
  ...overrides,
});

/** Something to load from: counts how often it was, and can be held back. */
export class Source {
  loads = 0;
  value: Sample | null;
  hold: Promise<unknown> = Promise.resolve();

  constructor(text: string | null) {
    this.value = text === null ? null : { text };
  }

  readonly load = async (): Promise<Sample | null> => {
    this.loads++;
    const read = this.value;
    await this.hold;
    return read;
  };
}
