import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { parentOf } from "../../cli/proc.mjs";
import { FakeProject } from "./fake-project.ts";
import { eventually, running } from "./temporary.ts";

/** Says its pid and stays; on SIGTERM and SIGINT it says so, and ends on the first with code 42. */
const STAYS = `
  process.on("SIGINT", () => console.log("got SIGINT"));
  process.on("SIGTERM", () => { console.log("got SIGTERM"); process.exit(42); });
  setInterval(() => {}, 1000);
  console.log("child", process.pid);
`;

const WATCHES = `
  import { writeFileSync } from "node:fs";
  import { onParentGone } from "../../cli/parent-alive.ts";
  onParentGone(() => { writeFileSync("parent-gone", ""); process.exit(0); });
  ${STAYS}
`;

/** The pid that the child has printed; it does not outlive the test. */
async function childIn(output: () => string): Promise<number> {
  await eventually("the child runs", () => /child \d+/.test(output()));
  const pid = Number(/child (\d+)/.exec(output())?.[1]);
  onTestFinished(() => {
    if (running(pid) !== null) process.kill(pid, "SIGKILL");
  });
  return pid;
}

describe("the bootstrap", () => {
  test("runs the command under node_modules' Node, first in its PATH, with the user's arguments", async () => {
    const project = new FakeProject(`
      import { execFileSync } from "node:child_process";
      console.log(JSON.stringify([process.argv.slice(2), process.cwd(), process.env.PATH.split(":")[0]]));
    `);
    const { code, output } = await project.run(["start", "--a", "b c"]).ended;
    expect(code).toBe(0);
    expect(JSON.parse(output.trim().split("\n").at(-1) ?? "")).toEqual([
      ["--a", "b c"],
      project.root,
      project.path("node_modules", `node-linux-${process.arch}`, "bin"),
    ]);
  });

  test.each([
    ["its exit code", "process.exit(9)", 9],
    ["128 + n for signal n", 'process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 9e9)', 137],
  ])("passes through %s", async (_, script, code) => {
    expect(await new FakeProject(script).run(["start"]).ended).toMatchObject({ code });
  });

  test("lists its commands when it does not know one, and installs nothing", async () => {
    const project = new FakeProject("");
    const { code, output } = await project.run(["strat"]).ended;
    expect(code).toBe(1);
    expect(output).toContain('There is no command "strat"');
    expect(output).toMatch(/^ {2}start +the whole platform/m);
    expect(project.npmCalls()).toEqual([]);
  });

  test("passes SIGTERM on, waits, and gives the child's exit code", async () => {
    const run = new FakeProject(STAYS).run(["start"]);
    await childIn(run.output);
    run.process.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 42, output: expect.stringContaining("got SIGTERM") });
  });

  test("leaves SIGINT to the terminal, but does not leave a child that did not get it", async () => {
    const run = new FakeProject(STAYS).run(["start"]);
    await childIn(run.output);
    run.process.kill("SIGINT");
    const { code, output } = await run.ended;
    expect(code).toBe(42);
    expect(output).toContain("got SIGTERM");
    expect(output).not.toContain("got SIGINT");
  });

  test("killed with -9 ends its child", async () => {
    const project = new FakeProject(WATCHES);
    const run = project.run(["start"]);
    const child = await childIn(run.output);
    run.process.kill("SIGKILL");
    await eventually("the child has ended", () => running(child) === null);
    expect(existsSync(project.path("parent-gone"))).toBe(true);
  });

  test("ends when the npm that started it is killed with -9", async () => {
    const { parent, child } = await startedBy("npm start");
    parent.kill("SIGKILL");
    await eventually("the child has ended", () => running(child) === null);
  });

  test("started by a shell that is killed, keeps going until it is asked to end", async () => {
    const { parent, child } = await startedBy("a shell");
    const bootstrap = parentOf(child) ?? 0;
    parent.kill("SIGKILL");
    await sleep(1_200); // more than two of its looks at what is above
    expect(running(child)).not.toBeNull();
    process.kill(bootstrap, "SIGTERM");
    await eventually("the child has ended", () => running(child) === null);
  });
});

/** A bootstrap under a process that calls itself `title`, as npm does; its output goes to a file that outlives it. */
async function startedBy(title: string): Promise<{ readonly parent: ChildProcess; readonly child: number }> {
  const project = new FakeProject(WATCHES);
  const script = `
    process.title = ${JSON.stringify(title)};
    const out = require("node:fs").openSync("out", "a");
    require("node:child_process").spawn(process.execPath, ["cli/run.mjs", "start"], { stdio: ["ignore", out, out] });
    setInterval(() => {}, 1000);
  `;
  const env = { ...process.env, npm_execpath: project.path("fake-npm", "npm-cli.js") };
  const parent = spawn(process.execPath, ["-e", script], { cwd: project.root, env, stdio: "ignore" });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const file = project.path("out");
  return { parent, child: await childIn(() => (existsSync(file) ? readFileSync(file, "utf8") : "")) };
}
