import type { Json } from "@millrace/core";
import type { Database } from "../connect.ts";

/** A worker that is connected to a living node. */
export interface WorkerRow {
  readonly id: string;
  readonly nodeId: number;
  /** As its node saved it. */
  readonly detail: Json;
  readonly connectedAt: number;
  /** Task runs that it runs. */
  readonly busy: number;
}

/** Workers of all nodes but one, which knows its own better. */
export async function listWorkers(database: Database, exceptNode: number): Promise<WorkerRow[]> {
  const { rows } = await database.api.query<{
    id: string;
    node_id: number;
    detail: Json;
    connected_at: number;
    busy: number;
  }>({
    name: "list-workers",
    // What runs is found by the runs that do: their task runs have no index by worker, which each dispatch would pay for.
    text: `with elsewhere as materialized (
        select w.id, w.node_id, w.detail, w.connected_at
        from worker_connection as w
        join node as n on n.id = w.node_id
        where n.id <> $1 and not n.fenced and n.lease_until > clock_timestamp()
        order by w.connected_at
        limit 10000
      ), running as (
        select t.worker, count(*)::integer as busy
        from generate_series(0, 63) as s (shard)
        join run as r on r.shard = s.shard::smallint and r.state = 'running'
        cross join lateral (
          select t.worker from task_run as t
          where t.workspace = r.workspace and t.run_id = r.id and t.state = 'running'
        ) as t
        where exists (select from elsewhere)
        group by t.worker
      )
      select e.id, e.node_id, e.detail, e.connected_at, coalesce(running.busy, 0) as busy
      from elsewhere as e
      left join running on running.worker = e.id
      order by e.connected_at`,
    values: [exceptNode],
  });
  return rows.map((row) => ({
    id: row.id,
    nodeId: row.node_id,
    detail: row.detail,
    connectedAt: row.connected_at,
    busy: row.busy,
  }));
}
