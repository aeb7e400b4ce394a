import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { commandLineOf } from "../../cli/proc.mjs";

const LISTENING = "0A";
const SHOWN_CHARACTERS = 100;

/** The inodes of the sockets that listen on `port`, from /proc/net/tcp and tcp6 (proc(5)). */
function listeningSockets(port: number): ReadonlySet<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readLines(table)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (local?.endsWith(wanted) && state === LISTENING && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(1);
  } catch {
    return [];
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // another user's process, or one that has just ended
  }
}

function isOneOf(link: string, inodes: ReadonlySet<string>): boolean {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1];
    return inode !== undefined && inodes.has(inode);
  } catch {
    return false;
  }
}

/** "process 123 (its command line)" for what listens on a TCP port, or null if /proc does not tell this user. */
export function holderOf(port: number): string | null {
  const inodes = listeningSockets(port);
  if (inodes.size === 0) return null;
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!list(`/proc/${pid}/fd`).some((fd) => isOneOf(`/proc/${pid}/fd/${fd}`, inodes))) continue;
    return `process ${pid} (${commandLineOf(Number(pid)).slice(0, SHOWN_CHARACTERS)})`;
  }
  return null;
}
