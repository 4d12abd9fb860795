import type { Installation } from "./types.js";

/** postgresql.conf lines for a cluster of ours. Throw-away data trades safety in a crash for speed. */
export function clusterSettings(cluster: {
  installation: Installation;
  persistent: boolean;
  port: number;
  database: string;
  maxConnections: number;
}): Record<string, string> {
  const { installation } = cluster;
  return {
    port: String(cluster.port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: String(cluster.maxConnections),
    max_worker_processes: "30",
    timezone: "UTC",
    log_timezone: "UTC",
    jit: "off",
    wal_level: "minimal",
    max_wal_senders: "0",
    ...(cluster.persistent ? {} : { fsync: "off", full_page_writes: "off" }),
    ...(installation.pgCron === null
      ? {}
      : {
          shared_preload_libraries: "pg_cron",
          "cron.database_name": cluster.database,
          "cron.use_background_workers": "on",
        }),
    ...installation.settings,
  };
}

export function toConf(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join("");
}
