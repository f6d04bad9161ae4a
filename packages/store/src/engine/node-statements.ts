/** Nodes, their leases and their shards. Lease statements alone use the database's clock. */
import type { Pool } from "pg";
import type { EngineStore } from "./port.ts";

/** Which form of rows this code writes: a migration that breaks older servers asks for a larger one (`node_row_form_known`). */
const rowForm = 1;

export async function registerNode(
  pool: Pool,
  node: Parameters<EngineStore["registerNode"]>[0],
): ReturnType<EngineStore["registerNode"]> {
  const { rows } = await pool.query<{ id: number; now: number }>({
    name: "register-node",
    text: `insert into node (name, url, version, row_form, started_at, lease_until)
      values ($1, $2, $3, $5, clock_timestamp(), clock_timestamp() + $4 * interval '1 ms')
      returning id, clock_timestamp() as now`,
    values: [node.name, node.url ?? null, node.version, node.leaseMs, rowForm],
  });
  return { nodeId: rows[0]!.id, now: rows[0]!.now };
}

export async function renewLease(
  pool: Pool,
  nodeId: number,
  leaseMs: number,
): ReturnType<EngineStore["renewLease"]> {
  const { rows } = await pool.query<{ alive: boolean; now: number; live: number }>({
    name: "renew-lease",
    text: `with renewed as (
        update node set lease_until = clock_timestamp() + $2 * interval '1 ms'
        where id = $1 and not fenced
        returning id
      )
      select
        exists (select from renewed) as alive,
        clock_timestamp() as now,
        (select count(*)::integer from node where not fenced and lease_until > clock_timestamp()) as live`,
    values: [nodeId, leaseMs],
  });
  const row = rows[0]!;
  return { alive: row.alive, now: row.now, liveNodes: row.live };
}

export async function fenceExpired(pool: Pool, marginMs: number): ReturnType<EngineStore["fenceExpired"]> {
  const { rows } = await pool.query<{ fenced: number[] | null }>({
    name: "fence-expired",
    text: `with dead as (
        update node set fenced = true
        where not fenced and lease_until < clock_timestamp() - $1 * interval '1 ms'
        returning id
      )
      select array_agg(id) as fenced from dead`,
    values: [marginMs],
  });
  const freed = await pool.query<{ free: number }>({
    name: "free-shards",
    text: `with freed as (
        update shard set node_id = null
        from node
        where shard.node_id = node.id and node.fenced
        returning shard
      )
      select ((select count(*) from shard where node_id is null) + (select count(*) from freed))::integer as free`,
    values: [],
  });
  return { fenced: rows[0]?.fenced ?? [], freeShards: freed.rows[0]!.free };
}

export async function claimShards(pool: Pool, nodeId: number, count: number): Promise<number[]> {
  const { rows } = await pool.query<{ shard: number }>({
    name: "claim-shards",
    text: `update shard set node_id = $1, epoch = epoch + 1
      where shard in (
        select shard from shard where node_id is null order by shard limit $2 for update skip locked
      ) and exists (select from node where id = $1 and not fenced)
      returning shard`,
    values: [nodeId, count],
  });
  return rows.map((row) => row.shard).sort((a, b) => a - b);
}

export async function leave(pool: Pool, nodeId: number): Promise<void> {
  await pool.query({
    name: "leave-fence",
    text: "update node set fenced = true where id = $1",
    values: [nodeId],
  });
  await pool.query({
    name: "leave-shards",
    text: "update shard set node_id = null where node_id = $1",
    values: [nodeId],
  });
}

/** Leases are written by the database's clock, and are read by it. */
export async function lastOutage(
  pool: Pool,
  nodeId: number,
): Promise<{ readonly from: number; readonly to: number } | undefined> {
  const { rows } = await pool.query<{ from: number | null; to: number | null }>({
    name: "last-outage",
    text: `select max(lease_until) filter (where not lives) as from, min(started_at) filter (where lives) as to
      from (
        select started_at, lease_until, id = $1 or (not fenced and lease_until > clock_timestamp()) as lives
        from node
      ) as n`,
    values: [nodeId],
  });
  const { from, to } = rows[0] ?? { from: null, to: null };
  return from === null || to === null || from >= to ? undefined : { from, to };
}
