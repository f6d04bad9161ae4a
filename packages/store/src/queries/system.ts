/** What the database says of itself, of the servers on it, and of how far the log was read. */
import type { Database } from "../connect.ts";

export interface NodeRow {
  readonly id: number;
  readonly name: string;
  readonly url: string | undefined;
  readonly version: string;
  readonly startedAt: number;
  readonly leaseUntil: number;
  readonly isFenced: boolean;
  readonly shards: number;
  /** The last position to which it told the log to its triggers and waits; absent where it holds no shard. */
  readonly toldTo: number | undefined;
}

/** Servers with a lease or with shards, and those that ended last. */
export async function listNodes(database: Database, limit: number): Promise<NodeRow[]> {
  const { rows } = await database.api.query<{
    id: number;
    name: string;
    url: string | null;
    version: string;
    started_at: number;
    lease_until: number;
    fenced: boolean;
    shards: number;
    told_to: number | null;
  }>({
    name: "list-nodes",
    text: `select n.id, n.name, n.url, n.version, n.started_at, n.lease_until, n.fenced,
        coalesce(s.shards, 0) as shards, s.told_to
      from node as n
      left join (
        select node_id, count(*)::integer as shards, min(least(log_position, wait_position)) as told_to
        from shard group by node_id
      ) as s on s.node_id = n.id
      order by n.fenced, n.id desc
      limit $1`,
    values: [limit],
  });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    url: row.url ?? undefined,
    version: row.version,
    startedAt: row.started_at,
    leaseUntil: row.lease_until,
    isFenced: row.fenced,
    shards: row.shards,
    toldTo: row.told_to ?? undefined,
  }));
}

export interface TableSize {
  readonly table: string;
  /** Heap, indexes and what lies outside of rows, over all partitions. */
  readonly bytes: number;
  readonly indexBytes: number;
  /** As the planner knows it; absent where nobody looked yet. */
  readonly rows: number | undefined;
  readonly partitions: number;
}

/** Sizes by table, partitions added to the table that they are of, the largest first. */
export async function listTableSizes(database: Database): Promise<TableSize[]> {
  const { rows } = await database.api.query<{
    name: string;
    bytes: number;
    index_bytes: number;
    estimate: number | null;
    partitions: number;
  }>({
    name: "list-table-sizes",
    text: `select coalesce(top.relname, c.relname) as name,
        sum(pg_total_relation_size(c.oid))::bigint as bytes,
        sum(pg_indexes_size(c.oid))::bigint as index_bytes,
        case when max(c.reltuples) >= 0 then sum(greatest(c.reltuples, 0))::bigint end as estimate,
        count(*) filter (where c.relispartition)::integer as partitions
      from pg_class as c
      left join pg_class as top on top.oid = pg_partition_root(c.oid) and top.oid <> c.oid
      where c.relnamespace = 'millrace'::regnamespace and c.relkind = 'r'
      group by 1
      order by 2 desc, 1`,
  });
  return rows.map((row) => ({
    table: row.name,
    bytes: row.bytes,
    indexBytes: row.index_bytes,
    rows: row.estimate ?? undefined,
    partitions: row.partitions,
  }));
}

export interface DatabaseState {
  readonly databaseBytes: number;
  readonly connections: number;
  readonly connectionsMax: number;
  /** Of the oldest transaction that is open, in ms. */
  readonly oldestTransactionMs: number;
  /** Of transaction ids until the database stops to prevent their reuse. */
  readonly transactionAge: number;
  readonly autovacuum: boolean;
  readonly fsync: boolean;
  readonly synchronousCommit: string;
  /** Rows that stand in no day's partition. */
  readonly strayRows: number;
  readonly logPosition: number;
  readonly logClock: number | undefined;
  /** The oldest entry that a mark tells of. */
  readonly logSince: number | undefined;
  readonly inbox: number;
}

const strayMax = 1_000;

export async function databaseState(database: Database, workspace: number): Promise<DatabaseState> {
  const strays = [
    "run_history",
    "task_run_history",
    "attempt_history",
    "log_chunk",
    "artifact",
    "event_log_short",
    "event_log_normal",
    "event_log_long",
    "event_log_audit",
  ]
    .map((table) => `(select count(*) from (select from ${table}_default limit ${strayMax}) as r)`)
    .join(" + ");
  const { rows } = await database.api.query<{
    database_bytes: number;
    connections: number;
    connections_max: number;
    oldest_ms: number;
    transaction_age: number;
    autovacuum: boolean;
    fsync: boolean;
    synchronous_commit: string;
    stray_rows: number;
    log_position: number | null;
    log_clock: number | null;
    log_since: number | null;
    inbox: number;
  }>({
    name: "database-state",
    text: `select pg_database_size(current_database()) as database_bytes,
        (select count(*)::integer from pg_stat_activity where datname = current_database()) as connections,
        current_setting('max_connections')::integer as connections_max,
        coalesce((
          select max(extract(epoch from clock_timestamp() - xact_start) * 1000)::double precision from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()
        ), 0) as oldest_ms,
        (select age(datfrozenxid) from pg_database where datname = current_database()) as transaction_age,
        current_setting('autovacuum')::boolean as autovacuum,
        current_setting('fsync')::boolean as fsync,
        current_setting('synchronous_commit') as synchronous_commit,
        (${strays})::integer as stray_rows,
        (select position from log_head where workspace = $1) as log_position,
        (select clock from log_head where workspace = $1) as log_clock,
        (select recorded_at from log_mark where workspace = $1 order by position limit 1) as log_since,
        (select count(*)::integer from (select from inbox limit 10001) as i) as inbox`,
    values: [workspace],
  });
  const row = rows[0]!;
  return {
    databaseBytes: row.database_bytes,
    connections: row.connections,
    connectionsMax: row.connections_max,
    oldestTransactionMs: row.oldest_ms,
    transactionAge: row.transaction_age,
    autovacuum: row.autovacuum,
    fsync: row.fsync,
    synchronousCommit: row.synchronous_commit,
    strayRows: row.stray_rows,
    logPosition: row.log_position ?? 0,
    logClock: row.log_clock ?? undefined,
    logSince: row.log_since ?? undefined,
    inbox: row.inbox,
  };
}
