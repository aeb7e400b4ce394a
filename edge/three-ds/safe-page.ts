/** Whether a host name stands for the machine that asks. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * Whether a payer's browser may be sent to this address, which comes from an issuer or a provider: https only (an
 * address that begins with javascript: would run in our page), or http on this very machine where `loopback` allows
 * it for development.
 */
export function isSafePage(address: string, { loopback }: { readonly loopback: boolean }): boolean {
  // Not URL.parse, which browsers of a few years ago lack.
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && loopback && isLoopback(hostname));
}
