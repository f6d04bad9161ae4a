/** Messages between nodes, and the notifications that wake them. */
import type { Json } from "@millrace/core";
import type { Pool } from "pg";
import type { InboxMessage, RunKey } from "./port.ts";

export const wakeChannel = "millrace_wake";

export async function sendInbox(pool: Pool, messages: readonly InboxMessage[]): Promise<void> {
  await pool.query({
    name: "send-inbox",
    text: "insert into inbox (shard, message) select s, m::json from unnest($1::smallint[], $2::text[]) as u (s, m)",
    values: [messages.map((entry) => entry.shard), messages.map((entry) => JSON.stringify(entry.message))],
  });
  await wake(pool, [...new Set(messages.map((entry) => entry.shard))]);
}

/** The count stops at `pendingMax`: it is short as long as the receiver keeps up. */
export async function sendBounded(pool: Pool, message: InboxMessage, pendingMax: number): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: "send-bounded",
    text: `insert into inbox (shard, message)
      select $1, $2::json
      where (select count(*) from (select from inbox where shard = $1 limit $3) as pending) < $3`,
    values: [message.shard, JSON.stringify(message.message), pendingMax],
  });
  if (rowCount === 0) return false;
  await wake(pool, [message.shard]);
  return true;
}

export async function countPending(pool: Pool, shard: number, max: number): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({
    name: "count-pending",
    text: "select count(*) as count from (select from inbox where shard = $1 limit $2) as pending",
    values: [shard, max],
  });
  return rows[0]?.count ?? 0;
}

export async function sendToRun(
  pool: Pool,
  key: RunKey & { readonly generation?: number },
  message: Json,
): Promise<boolean> {
  const { rows } = await pool.query<{ shard: number }>({
    name: "send-to-run",
    text: `insert into inbox (shard, message)
      select shard, $3::json from run
      where workspace = $1 and id = $2 and ($4::integer is null or generation = $4)
      returning shard`,
    values: [key.workspace, key.id, JSON.stringify(message), key.generation ?? null],
  });
  if (!rows[0]) return false;
  await wake(pool, [rows[0].shard]);
  return true;
}

export async function sendToWorker(pool: Pool, workerId: string, message: Json): Promise<boolean> {
  const { rows } = await pool.query<{ shard: number }>({
    name: "send-to-worker",
    text: `insert into inbox (shard, message)
      select min(s.shard), $2::json from worker_connection as w
      join shard as s on s.node_id = w.node_id
      where w.id = $1
      having min(s.shard) is not null
      returning shard`,
    values: [workerId, JSON.stringify(message)],
  });
  if (!rows[0]) return false;
  await wake(pool, [rows[0].shard]);
  return true;
}

export async function wake(pool: Pool, shards: readonly number[]): Promise<void> {
  await pool.query({
    name: "wake",
    text: "select pg_notify($1, $2)",
    values: [wakeChannel, shards.join(",")],
  });
}
