/** Settings of postgresql.conf by name, as their text. */
export type Settings = Readonly<Record<string, string | number>>;

/**
 * What a developer's machine gets: durable as in production (fsync, full_page_writes and synchronous_commit are on by
 * Postgres's own default), with checkpoints far enough apart that a bench does not measure them.
 */
export const defaultSettings: Settings = {
  max_connections: 200,
  shared_buffers: "256MB",
  effective_cache_size: "1GB",
  wal_buffers: "16MB",
  min_wal_size: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  random_page_cost: 1.1,
  // Statements here take microseconds, and the embedded build carries no LLVM.
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %q%u@%d ",
  log_lock_waits: "on",
};

/** The server's command line after `-D`: TCP on 127.0.0.1 only, so nothing depends on a socket's folder. */
export function serverArguments(port: number, settings: Settings = {}): readonly string[] {
  const all = {
    ...defaultSettings,
    ...settings,
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
