import fc from "fast-check";
import { expect, it } from "vitest";
import { type Seen, Window } from "./window.ts";

type Event = { readonly after: number; readonly seen: Seen; readonly latency: number | null };
const event = fc.record<Event>({
  after: fc.integer({ min: 0, max: 40 }),
  seen: fc.constantFrom<Seen>("good", "bad", "neutral"),
  latency: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }),
});

it("knows the last outcomes exactly, as a list of all of them would", () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 80 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (events, size, ms, share) => {
        const window = new Window(size, ms);
        const all: { at: number; seen: Seen; latency: number | null }[] = [];
        let now = 1_000;
        for (const { after, seen, latency } of events) {
          now += after;
          window.add(now, seen, latency);
          all.push({ at: now, seen, latency });
          const kept = all.slice(-size).filter(({ at }) => at > now - ms);
          const count = (what: Seen) => kept.filter((one) => one.seen === what).length;
          expect(window.counts(now)).toEqual({ good: count("good"), bad: count("bad") });
          const latencies = kept
            .flatMap((one) => (one.latency === null ? [] : [one.latency]))
            .sort((a, b) => a - b);
          const ms90 = latencies[Math.max(1, Math.ceil(share * latencies.length)) - 1];
          expect(window.percentile(now, share)).toEqual(
            ms90 === undefined ? null : { ms: ms90, of: latencies.length },
          );
        }
        expect(window.counts(now + ms)).toEqual({ good: 0, bad: 0 });
        expect(window.percentile(now + ms, share)).toBeNull();
      },
    ),
  );
});

it("is empty after it was cleared", () => {
  const window = new Window(3, 100);
  for (const at of [1, 2, 3, 4]) window.add(at, "bad", at);
  window.clear();
  window.add(5, "good", 7);
  expect([window.counts(5), window.percentile(5, 0.9)]).toEqual([
    { good: 1, bad: 0 },
    { ms: 7, of: 1 },
  ]);
});
