import { readFileSync } from "node:fs";

/**
 * A process that cannot be mistaken for a later one with the same number: `ticks` is its start time in clock
 * ticks since boot (field 22 of /proc/PID/stat, proc(5)), `boot` the kernel's id of this boot.
 *
 * @typedef {{ readonly pid: number, readonly ticks: string, readonly boot: string }} ProcessIdentity
 */

/** The fields of /proc/PID/stat from `state` (field 3) on, or null if there is no such process. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in parentheses, may itself contain spaces and parentheses.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** @returns {string | null} the kernel's id of this boot, or null where /proc does not tell */
export function bootId() {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}

/**
 * @param {number} pid
 * @returns {ProcessIdentity | null} null if the process is gone, or is a zombie that only waits to be reaped
 */
export function identityOf(pid) {
  const stat = statOf(pid);
  if (stat === null || stat[0] === "Z" || stat[0] === "X") return null;
  return { pid, ticks: stat[19], boot: bootId() ?? "" };
}

/**
 * @param {ProcessIdentity} known
 * @returns {boolean} whether that very process still runs
 */
export function isAlive(known) {
  const now = identityOf(known.pid);
  return now !== null && now.ticks === known.ticks && now.boot === known.boot;
}

/**
 * @param {number} pid
 * @returns {number | null} the parent's pid, or null if the process is gone
 */
export function parentOf(pid) {
  const stat = statOf(pid);
  return stat === null ? null : Number(stat[1]);
}

/**
 * @param {number} pid
 * @returns {string} the command line with its arguments separated by spaces; empty if it cannot be read
 */
export function commandLineOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
