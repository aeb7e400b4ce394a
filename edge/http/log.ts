/**
 * One line of JSON about a fault of ours. Of an error only its name and stack frames are kept: messages quote
 * input (JSON.parse does), and input to the vault is card data.
 */
export function logFault(
  event: string,
  error: unknown,
  details: Readonly<Record<string, string>> = {},
): void {
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: "" };
  const frames = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const at = frames.slice(0, 6).map((frame) => frame.trim());
  console.error(JSON.stringify({ level: "error", event, ...details, error: name, at }));
}
