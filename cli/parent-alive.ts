import { fstatSync } from "node:fs";
import { Socket } from "node:net";

/**
 * Calls `gone` once if the bootstrap that started this process (cli/run.mjs) ends before it, kill -9 included:
 * the bootstrap holds the other end of a pipe, and the kernel closes it. Does nothing when there is no bootstrap,
 * as under a debugger. Never keeps the process alive.
 */
export function onParentGone(gone: () => void): void {
  const fd = Number(process.env["TESSERA_PARENT_FD"]);
  // Our own children inherit the variable but not the descriptor: what they have there is something else.
  delete process.env["TESSERA_PARENT_FD"];
  if (!Number.isInteger(fd) || fd < 3 || !isPipe(fd)) return;
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.once("close", () => gone());
  pipe.on("error", () => {}); // "close" follows
  pipe.resume();
  pipe.unref();
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isSocket() || stat.isFIFO();
  } catch {
    return false;
  }
}
