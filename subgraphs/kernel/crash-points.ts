/**
 * Named points at which a test kills the process with SIGKILL, to prove what survives: `TESSERA_CRASH_AT` is
 * `<point>` or `<point>@<n>` for the n-th time it is passed. Ignored where NODE_ENV is "production".
 */
export type CrashPoint = (name: string) => void;

export function crashPoints(env: Readonly<Record<string, string | undefined>>): CrashPoint {
  const setting = env["TESSERA_CRASH_AT"];
  if (setting === undefined || setting === "" || env["NODE_ENV"] === "production") return () => {};
  const [point, count] = setting.split("@");
  let left = count === undefined ? 1 : Number(count);
  return (name) => {
    if (name === point && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
