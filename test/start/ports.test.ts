import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { homePath, projectRoot } from "../../regions/dev/home.ts";
import { freePort, platformPorts, requireFreePorts } from "../../regions/dev/ports.ts";

describe("the platform's ports", () => {
  test("start at 4700, or where TESSERA_PORT_BASE says", () => {
    expect(platformPorts({})).toMatchObject({ edge: 4700, vault: 4701, postgres: 4705, merchants: 4714 });
    expect(platformPorts({ TESSERA_PORT_BASE: "9000" })).toMatchObject({ edge: 9000, payments: 9010 });
    const ports = Object.values(platformPorts({}));
    expect(new Set(ports).size).toBe(ports.length);
  });

  test.each(["80", "65522", "4700.5", "many", "-1"])("cannot start at %s", (base) => {
    expect(() => platformPorts({ TESSERA_PORT_BASE: base })).toThrow(`TESSERA_PORT_BASE is "${base}"`);
  });

  test.each(["127.0.0.1", "0.0.0.0", "::"])(
    "that are taken on %s are listed in one error, with their holder",
    async (host) => {
      const taken: Record<string, number> = {};
      for (const name of ["edge", "vault"]) {
        const server = createServer();
        const port = await freePort();
        taken[name] = port;
        await new Promise<void>((resolve) => server.listen(port, host, resolve));
        onTestFinished(() => void server.close());
      }
      const check = requireFreePorts({ ...taken, gateway: await freePort() });
      await expect(check).rejects.toMatchObject({
        code: "PORTS_BUSY",
        busy: Object.entries(taken).map(([name, port]) => ({
          name,
          port,
          holder: expect.stringContaining(`process ${process.pid} (`),
        })),
      });
      await expect(check).rejects.toThrow("set TESSERA_PORT_BASE to another number");
    },
  );
});

test.each([
  [undefined, `${projectRoot}/.tessera`],
  ["", `${projectRoot}/.tessera`],
  ["elsewhere", `${projectRoot}/elsewhere`],
  ["/var/tmp/x", "/var/tmp/x"],
])("TESSERA_DATA_DIR=%s is %s", (set, path) => {
  expect(homePath({ TESSERA_DATA_DIR: set })).toBe(path);
});
