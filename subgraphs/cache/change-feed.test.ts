import { expect, it } from "vitest";
import { type Change, type Changes, createChangeFeed } from "./change-feed.ts";
import { ManualTime } from "./samples.ts";

const change = (id: string, transaction = "10"): Change => ({ merchant: "m", id, transaction });

function feedOf(answers: (Changes | Error)[], options: { limit?: number } = {}) {
  const time = new ManualTime();
  const heard: string[] = [];
  const asked: (string | null)[] = [];
  const feed = createChangeFeed({
    async read(position) {
      asked.push(position);
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer");
      time.ms += 100;
      return answer;
    },
    onChange: ({ id }) => heard.push(id),
    onTooMany: () => heard.push("too many"),
    now: time.now,
    ...options,
  });
  return { time, heard, asked, feed };
}

it("asks from where it was, and tells each change once", async () => {
  const { feed, heard, asked } = feedOf([
    { upTo: "10", changes: [change("a")] },
    { upTo: "10", changes: [change("a"), change("b", "11"), change("a", "12")] },
    { upTo: "13", changes: [change("a", "12")] },
    { upTo: "13", changes: [change("a", "14")] },
  ]);
  for (let i = 0; i < 4; i++) await feed.poll();
  expect(asked).toEqual([null, "10", "10", "13"]);
  expect(heard).toEqual(["a", "b", "a", "a"]);
});

it("is current while it has asked within the last 5 s, counted from the question", async () => {
  const { feed, time } = feedOf([{ upTo: "1", changes: [] }, new Error("away"), { upTo: "1", changes: [] }]);
  expect(feed.isCurrent()).toBe(false);
  await feed.poll();
  expect(feed.isCurrent()).toBe(true);
  time.ms += 4_900;
  expect(feed.isCurrent()).toBe(true);
  await expect(feed.poll()).rejects.toThrow("away");
  time.ms += 1;
  expect(feed.isCurrent()).toBe(false);
  await feed.poll();
  expect(feed.isCurrent()).toBe(true);
});

it("loses nothing when an answer fails", async () => {
  const { feed, heard, asked } = feedOf([
    { upTo: "5", changes: [] },
    new Error("away"),
    { upTo: "9", changes: [change("a")] },
  ]);
  await feed.poll();
  await feed.poll().catch(() => {});
  await feed.poll();
  expect([asked, heard]).toEqual([[null, "5", "5"], ["a"]]);
});

it("says so when there are too many to know, and when the database was put back", async () => {
  const { feed, heard } = feedOf(
    [
      { upTo: "5", changes: [change("a"), change("b")] },
      { upTo: "9", changes: [] },
      { upTo: "7", changes: [change("c")] },
    ],
    { limit: 2 },
  );
  for (let i = 0; i < 3; i++) await feed.poll();
  expect(heard).toEqual(["too many", "too many"]);
});

it("keeps asking by itself after errors, and ends", async () => {
  const answers: (Changes | Error)[] = [
    new Error("away"),
    new Error("away"),
    ...Array.from({ length: 50 }, () => ({ upTo: "1", changes: [] })),
  ];
  let polls = 0;
  const feed = createChangeFeed({
    async read() {
      polls++;
      const answer = answers.shift() as Changes | Error;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onChange: () => {},
    onTooMany: () => {},
    pollMs: 5,
  });
  feed.start();
  await expect.poll(() => feed.isCurrent()).toBe(true);
  await feed.stop();
  const after = polls;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(polls).toBe(after);
});
