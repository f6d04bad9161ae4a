/** Offers, and which worker is connected where. */
import type { Pool } from "pg";
import { toTimestamp } from "../value-types.ts";
import type { OfferClaim, OfferRow, WorkerConnection } from "./port.ts";
import { wake } from "./inbox-statements.ts";

export async function claimOffers(pool: Pool, claim: OfferClaim): Promise<OfferRow[]> {
  const { rows } = await pool.query<{
    workspace: number;
    run_id: string;
    node: string;
    item: string;
    generation: number;
    dispatch: number;
    queue: string;
    node_id: number;
    shard: number;
  }>({
    name: "claim-offers",
    text: `with taken as (
        delete from offer
        where (workspace, run_id, node, item) in (
          select workspace, run_id, node, item from offer
          where queue = any($1) and node_id <> $2
          limit $3
          for update skip locked
        )
        returning *
      ), told as (
        insert into inbox (shard, message)
        select shard, json_build_object(
          'kind', 'claimed', 'runId', run_id,
          'token', json_build_object('runId', run_id, 'node', node, 'item', item, 'generation', generation, 'dispatch', dispatch),
          'workerId', $4::text, 'shard', $5::integer
        )
        from taken
      )
      select workspace, run_id, node, item, generation, dispatch, queue, node_id, shard from taken`,
    values: [claim.queues, claim.nodeId, claim.limit, claim.workerId, claim.shard],
  });
  if (rows.length > 0) await wake(pool, [...new Set(rows.map((row) => row.shard))]);
  return rows.map((row) => ({
    workspace: row.workspace,
    runId: row.run_id,
    node: row.node,
    item: row.item,
    generation: row.generation,
    dispatch: row.dispatch,
    queue: row.queue,
    nodeId: row.node_id,
    shard: row.shard,
  }));
}

export async function saveWorker(pool: Pool, connection: WorkerConnection): Promise<void> {
  await pool.query({
    name: "save-worker",
    text: `insert into worker_connection (id, node_id, detail, connected_at) values ($1, $2, $3, $4)
      on conflict (id) do update set
        node_id = excluded.node_id,
        detail = excluded.detail,
        connected_at = excluded.connected_at`,
    values: [
      connection.id,
      connection.nodeId,
      JSON.stringify(connection.detail),
      toTimestamp(connection.connectedAt),
    ],
  });
}

export async function liveWorkers(pool: Pool, ids: readonly string[], exceptNode = 0): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: "live-workers",
    text: `select w.id from worker_connection as w
      join node as n on n.id = w.node_id
      where w.id = any($1) and n.id <> $2 and not n.fenced and n.lease_until > clock_timestamp()`,
    values: [ids, exceptNode],
  });
  return rows.map((row) => row.id);
}
