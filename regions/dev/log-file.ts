import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";

const KEPT_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** Opens a log file to append to, readable by its owner only; one that has passed 10 MB starts over. */
export function openLogFile(path: string): number {
  const fd = openSync(path, "a", 0o600);
  if (fstatSync(fd).size > KEPT_BYTES) ftruncateSync(fd, 0);
  return fd;
}

/** What a log file holds from byte `from` on: at most its last 64 KB. Empty if it cannot be read. */
export function readLog(path: string, from = 0): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(from, size - TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(size - start, 0));
    const length = readSync(fd, buffer, 0, buffer.length, start);
    return buffer.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

/** The last lines of a log file, from byte `from` on, indented to stand in a message. */
export function tailOf(path: string, from = 0, lines = 20): string {
  const tail = readLog(path, from).trimEnd().split("\n").slice(-lines);
  return tail.map((line) => `  ${line}`).join("\n");
}
