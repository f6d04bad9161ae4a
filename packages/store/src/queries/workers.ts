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
    text: `with running as (
        select worker, count(*)::integer as busy from task_run where state = 'running' group by worker
      )
      select w.id, w.node_id, w.detail, w.connected_at, coalesce(running.busy, 0) as busy
      from worker_connection as w
      join node as n on n.id = w.node_id
      left join running on running.worker = w.id
      where n.id <> $1 and not n.fenced and n.lease_until > clock_timestamp()
      order by w.connected_at
      limit 10000`,
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
