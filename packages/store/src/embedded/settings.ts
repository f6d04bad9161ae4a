/** PostgreSQL's settings by name. */
export interface ServerSettings {
  readonly [name: string]: string;
}

/**
 * How the embedded server is tuned: one machine, one application, many small durable commits, and silence when idle.
 * Durability is never traded: fsync, synchronous_commit and full_page_writes stay on.
 */
export function serverSettings(
  place: { readonly socketFolder: string; readonly sharedMemoryType: string },
  overrides: ServerSettings,
): string[] {
  const settings: ServerSettings = {
    listen_addresses: "",
    unix_socket_directories: place.socketFolder,
    unix_socket_permissions: "0700",
    max_connections: "60",

    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    // No replica can attach, so nothing more than crash recovery needs the log.
    wal_level: "minimal",
    max_wal_senders: "0",
    wal_buffers: "16MB",
    // This build has only pglz. A commit that touches a page for the first time since a checkpoint takes 0.53–0.78 ms
    // with it and 0.23–0.34 ms without (medians of five interleaved rounds each, two busy cores); others don't differ.
    wal_compression: "off",
    commit_delay: "0",
    max_wal_size: "256MB",
    min_wal_size: "64MB",

    shared_buffers: "64MB",
    dynamic_shared_memory_type: place.sharedMemoryType,
    huge_pages: "off",
    work_mem: "8MB",
    maintenance_work_mem: "32MB",
    // Each of these would be processes of their own: I/O workers, parallel workers, the replication launcher.
    io_method: "sync",
    max_parallel_workers: "0",
    max_parallel_workers_per_gather: "0",
    max_parallel_maintenance_workers: "0",
    max_logical_replication_workers: "0",
    jit: "off",
    // The data are in memory or on an SSD: an index is worth taking early.
    random_page_cost: "1.1",

    // Who holds a transaction open without working blocks vacuum and locks.
    idle_in_transaction_session_timeout: "5s",

    // The background processes sleep long, and are woken by work. The autovacuum launcher alone wakes by itself.
    bgwriter_delay: "1s",
    bgwriter_lru_maxpages: "0",
    wal_writer_delay: "500ms",
    checkpoint_timeout: "15min",
    checkpoint_completion_target: "0.5",
    autovacuum_naptime: "30s",
    autovacuum_max_workers: "2",
    autovacuum_vacuum_cost_delay: "1ms",
    autovacuum_vacuum_scale_factor: "0.1",
    autovacuum_vacuum_insert_scale_factor: "0.2",

    timezone: "UTC",
    log_timezone: "UTC",
    log_checkpoints: "off",
    log_min_messages: "warning",
    log_min_error_statement: "panic",
    lc_messages: "C",
  };
  return Object.entries({ ...settings, ...overrides }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
