/** The engine's store on PostgreSQL. The hot statement is `millrace.flush` (`sql/000002_flush.sql`). */
import type { Json } from "@millrace/core";
import type { Pool } from "pg";
import { isConnectionLoss } from "../connection-loss.ts";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";
import { flushParameterCount, flushParameters } from "./columns.ts";
import type {
  CacheRow,
  EngineStore,
  FlushBatch,
  FlushOutcome,
  GrantRow,
  InboxMessage,
  InboxRow,
  LimitRow,
  LoadedShards,
  OfferClaim,
  OfferRow,
  QueuedRun,
  RequestRow,
  RunKey,
  TimerRow,
  WorkerConnection,
} from "./port.ts";
import {
  liveRunColumns,
  readLiveRun,
  readStored,
  readTaskRun,
  taskRunColumns,
  type LiveRunColumns,
  type TaskRunColumns,
} from "./rows.ts";

const wakeChannel = "millrace_wake";
const fencedCode = "MR001";

export function openPostgresEngineStore(database: Database): EngineStore {
  const pool = database.engine;
  return {
    registerNode: (node) => registerNode(pool, node),
    renewLease: (nodeId, leaseMs) => renewLease(pool, nodeId, leaseMs),
    fenceExpired: (marginMs) => fenceExpired(pool, marginMs),
    claimShards: (nodeId, count) => claimShards(pool, nodeId, count),
    releaseShards: async (nodeId, shards) => {
      await pool.query({
        name: "release-shards",
        text: "update shard set node_id = null where node_id = $1 and shard = any($2)",
        values: [nodeId, shards],
      });
    },
    leave: (nodeId) => leave(pool, nodeId),
    ownedShards: async (nodeId) => {
      const { rows } = await pool.query<{ shard: number }>({
        name: "owned-shards",
        text: "select shard from shard where node_id = $1 order by shard",
        values: [nodeId],
      });
      return rows.map((row) => row.shard);
    },
    flush: (nodeId, number, batch) => flush(pool, nodeId, number, batch),
    isPoison,
    lastFlush: async (nodeId) => {
      const { rows } = await pool.query<{ last_flush: number; fenced: boolean }>({
        name: "last-flush",
        text: "select last_flush, fenced from node where id = $1",
        values: [nodeId],
      });
      const row = rows[0];
      return row ? { number: row.last_flush, fenced: row.fenced } : { number: 0, fenced: true };
    },
    loadShards: (shards) => loadShards(pool, shards),
    loadQueuedRuns: (shards, afterId, limit) => loadQueuedRuns(pool, shards, afterId, limit),
    loadRun: (key) => loadRun(pool, key),
    loadTimers: (shards, until, limit) => loadTimers(pool, shards, until, limit),
    loadInbox: async (shards, limit) => {
      const { rows } = await pool.query<InboxRow>({
        name: "load-inbox",
        text: "select id, shard, message from inbox where shard = any($1) order by id limit $2",
        values: [shards, limit],
      });
      return rows;
    },
    sendInbox: (messages) => sendInbox(pool, messages),
    sendToRun: (key, message) => sendToRun(pool, key, message),
    wake: (shards) => wake(pool, shards),
    onWake: async (listener) =>
      database.listen({
        channels: [wakeChannel],
        onNotification: (_channel, payload) =>
          listener(payload === "offers" ? "offers" : payload.split(",").map(Number)),
        onCatchUp: () => listener("all"),
      }),
    wakeOffers: async () => {
      await pool.query({ name: "wake", text: "select pg_notify($1, $2)", values: [wakeChannel, "offers"] });
    },
    claimOffers: (claim) => claimOffers(pool, claim),
    saveWorker: (connection) => saveWorker(pool, connection),
    removeWorker: async (id, nodeId) => {
      await pool.query({
        name: "remove-worker",
        text: "delete from worker_connection where id = $1 and node_id = $2",
        values: [id, nodeId],
      });
    },
    liveWorkers: (ids, exceptNode) => liveWorkers(pool, ids, exceptNode),
    sendToWorker: (workerId, message) => sendToWorker(pool, workerId, message),
    findCached: (workspace, keys, now) => findCached(pool, workspace, keys, now),
    bindIdempotencyKey: (workspace, key, runId, now) =>
      bindIdempotencyKey(pool, { workspace, key, runId, now }),
  };
}

async function registerNode(
  pool: Pool,
  node: Parameters<EngineStore["registerNode"]>[0],
): ReturnType<EngineStore["registerNode"]> {
  const { rows } = await pool.query<{ id: number; now: number }>({
    name: "register-node",
    text: `insert into node (name, url, version, started_at, lease_until)
      values ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 ms')
      returning id, clock_timestamp() as now`,
    values: [node.name, node.url ?? null, node.version, node.leaseMs],
  });
  return { nodeId: rows[0]!.id, now: rows[0]!.now };
}

async function renewLease(
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

async function fenceExpired(pool: Pool, marginMs: number): ReturnType<EngineStore["fenceExpired"]> {
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

async function claimShards(pool: Pool, nodeId: number, count: number): Promise<number[]> {
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

async function leave(pool: Pool, nodeId: number): Promise<void> {
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

const flushText = `select flush(${Array.from({ length: flushParameterCount }, (_, index) => `$${index + 1}`).join(", ")})`;

async function flush(pool: Pool, nodeId: number, number: number, batch: FlushBatch): Promise<FlushOutcome> {
  try {
    await pool.query({ name: "flush", text: flushText, values: flushParameters(nodeId, number, batch) });
    return "committed";
  } catch (error) {
    if (!isConnectionLoss(error) && (error as { code?: unknown }).code === fencedCode) return "fenced";
    throw error;
  }
}

/** Classes of SQLSTATE that speak about the data itself: 21 cardinality, 22 data, 23 constraint, 42 syntax or access. */
const poisonClasses = new Set(["21", "22", "23", "42", "54"]);

function isPoison(error: unknown): boolean {
  if (isConnectionLoss(error)) return false;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && code.length === 5 && poisonClasses.has(code.slice(0, 2));
}

async function loadShards(pool: Pool, shards: readonly number[]): Promise<LoadedShards> {
  await reapOffers(pool, shards);
  const [runs, taskRuns, limits, grants, requests] = await Promise.all([
    pool.query<LiveRunColumns>({
      name: "load-runs",
      text: `select ${liveRunColumns} from run where shard = any($1) and state in ('running', 'waiting') order by id`,
      values: [shards],
    }),
    pool.query<TaskRunColumns>({
      name: "load-task-runs",
      text: `select ${prefixed("t", taskRunColumns)}
        from run as r
        join task_run as t on t.workspace = r.workspace and t.run_id = r.id
        where r.shard = any($1) and r.state in ('running', 'waiting')
        order by t.run_id`,
      values: [shards],
    }),
    pool.query<LimitColumns>({
      name: "load-limits",
      text: "select workspace, kind, name, shard, slots, set_by_operator from shared_limit where shard = any($1)",
      values: [shards],
    }),
    loadGrants(pool, shards),
    pool.query<RequestColumns>({
      name: "load-requests",
      text: "select workspace, kind, name, holder, shard, reply_shard, run_id, slots, limit_slots, rank from limit_request where shard = any($1) order by rank",
      values: [shards],
    }),
  ]);
  return {
    runs: runs.rows.map(readLiveRun),
    taskRuns: taskRuns.rows.map(readTaskRun),
    limits: limits.rows.map((row) => ({
      workspace: row.workspace,
      kind: row.kind,
      name: row.name,
      shard: row.shard,
      slots: row.slots,
      setByOperator: row.set_by_operator,
    })),
    grants,
    requests: requests.rows.map(readRequest),
  };
}

interface LimitColumns {
  workspace: number;
  kind: LimitRow["kind"];
  name: string;
  shard: number;
  slots: number;
  set_by_operator: boolean;
}

interface RequestColumns {
  workspace: number;
  kind: LimitRow["kind"];
  name: string;
  holder: string;
  shard: number;
  reply_shard: number;
  run_id: string;
  slots: number;
  limit_slots: number;
  rank: number;
}

function readRequest(row: RequestColumns): RequestRow {
  return {
    workspace: row.workspace,
    kind: row.kind,
    name: row.name,
    holder: row.holder,
    shard: row.shard,
    replyShard: row.reply_shard,
    runId: row.run_id,
    slots: row.slots,
    limitSlots: row.limit_slots,
    rank: row.rank,
  };
}

/** What an earlier owner offered is offered again by the new one, if it still waits. */
async function reapOffers(pool: Pool, shards: readonly number[]): Promise<void> {
  await pool.query({
    name: "reap-offers",
    text: "delete from offer where shard = any($1)",
    values: [shards],
  });
}

/** Grants of runs that are no longer live were leaked: they are taken back here. */
async function loadGrants(pool: Pool, shards: readonly number[]): Promise<GrantRow[]> {
  await pool.query({
    name: "reap-grants",
    text: `delete from limit_grant as g
      where g.shard = any($1) and not exists (select from run as r where r.workspace = g.workspace and r.id = g.run_id)`,
    values: [shards],
  });
  const { rows } = await pool.query<{
    workspace: number;
    kind: LimitRow["kind"];
    name: string;
    holder: string;
    shard: number;
    run_id: string;
    slots: number;
  }>({
    name: "load-grants",
    text: "select workspace, kind, name, holder, shard, run_id, slots from limit_grant where shard = any($1)",
    values: [shards],
  });
  return rows.map((row) => ({
    workspace: row.workspace,
    kind: row.kind,
    name: row.name,
    holder: row.holder,
    shard: row.shard,
    runId: row.run_id,
    slots: row.slots,
  }));
}

async function loadQueuedRuns(
  pool: Pool,
  shards: readonly number[],
  afterId: string,
  limit: number,
): Promise<QueuedRun[]> {
  const { rows } = await pool.query<{
    workspace: number;
    id: string;
    shard: number;
    pipeline: string;
    created_at: number;
  }>({
    name: "load-queued-runs",
    text: `select workspace, id, shard, pipeline, created_at from run
      where shard = any($1) and state = 'queued' and id > $2
      order by id
      limit $3`,
    values: [shards, afterId, limit],
  });
  return rows.map((row) => ({
    workspace: row.workspace,
    id: row.id,
    shard: row.shard,
    pipeline: row.pipeline,
    createdAt: row.created_at,
  }));
}

async function loadRun(pool: Pool, key: RunKey): ReturnType<EngineStore["loadRun"]> {
  const runs = await pool.query<LiveRunColumns>({
    name: "load-run",
    text: `select ${liveRunColumns} from run where workspace = $1 and id = $2`,
    values: [key.workspace, key.id],
  });
  if (!runs.rows[0]) return undefined;
  const taskRuns = await pool.query<TaskRunColumns>({
    name: "load-run-task-runs",
    text: `select ${taskRunColumns} from task_run where workspace = $1 and run_id = $2`,
    values: [key.workspace, key.id],
  });
  return { run: readLiveRun(runs.rows[0]), taskRuns: taskRuns.rows.map(readTaskRun) };
}

async function loadTimers(
  pool: Pool,
  shards: readonly number[],
  until: number,
  limit: number,
): Promise<TimerRow[]> {
  const { rows } = await pool.query<{
    workspace: number;
    run_id: string;
    kind: TimerRow["kind"];
    node: string;
    item: string;
    generation: number;
    shard: number;
    due_at: number;
  }>({
    name: "load-timers",
    text: `select workspace, run_id, kind, node, item, generation, shard, due_at from timer
      where shard = any($1) and due_at <= $2
      order by due_at
      limit $3`,
    values: [shards, toTimestamp(until), limit],
  });
  return rows.map((row) => ({
    workspace: row.workspace,
    runId: row.run_id,
    kind: row.kind,
    node: row.node,
    item: row.item,
    generation: row.generation,
    shard: row.shard,
    dueAt: row.due_at,
  }));
}

async function sendInbox(pool: Pool, messages: readonly InboxMessage[]): Promise<void> {
  await pool.query({
    name: "send-inbox",
    text: "insert into inbox (shard, message) select s, m::json from unnest($1::smallint[], $2::text[]) as u (s, m)",
    values: [messages.map((entry) => entry.shard), messages.map((entry) => JSON.stringify(entry.message))],
  });
  await wake(pool, [...new Set(messages.map((entry) => entry.shard))]);
}

async function sendToRun(pool: Pool, key: RunKey, message: Json): Promise<boolean> {
  const { rows } = await pool.query<{ shard: number }>({
    name: "send-to-run",
    text: `insert into inbox (shard, message)
      select shard, $3::json from run where workspace = $1 and id = $2
      returning shard`,
    values: [key.workspace, key.id, JSON.stringify(message)],
  });
  if (!rows[0]) return false;
  await wake(pool, [rows[0].shard]);
  return true;
}

async function claimOffers(pool: Pool, claim: OfferClaim): Promise<OfferRow[]> {
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

async function saveWorker(pool: Pool, connection: WorkerConnection): Promise<void> {
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

async function liveWorkers(pool: Pool, ids: readonly string[], exceptNode = 0): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: "live-workers",
    text: `select w.id from worker_connection as w
      join node as n on n.id = w.node_id
      where w.id = any($1) and n.id <> $2 and not n.fenced and n.lease_until > clock_timestamp()`,
    values: [ids, exceptNode],
  });
  return rows.map((row) => row.id);
}

async function sendToWorker(pool: Pool, workerId: string, message: Json): Promise<boolean> {
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

async function wake(pool: Pool, shards: readonly number[]): Promise<void> {
  await pool.query({
    name: "wake",
    text: "select pg_notify($1, $2)",
    values: [wakeChannel, shards.join(",")],
  });
}

async function findCached(
  pool: Pool,
  workspace: number,
  keys: readonly string[],
  now: number,
): Promise<CacheRow[]> {
  const { rows } = await pool.query<{
    key: string;
    output: Json;
    output_blob: string | null;
    output_bytes: number | null;
    recorded_at: number;
    expires_at: number | null;
  }>({
    name: "find-cached",
    text: `select key, output, output_blob, output_bytes, recorded_at, expires_at from cached_output
      where workspace = $1 and key = any($2) and (expires_at is null or expires_at > $3)`,
    values: [workspace, keys, toTimestamp(now)],
  });
  return rows.map((row) => ({
    workspace,
    key: row.key,
    output: readStored(row.output, row.output_blob, row.output_bytes),
    recordedAt: row.recorded_at,
    expiresAt: row.expires_at ?? undefined,
  }));
}

async function bindIdempotencyKey(
  pool: Pool,
  binding: { workspace: number; key: string; runId: string; now: number },
): Promise<string> {
  const { rows } = await pool.query<{ run_id: string }>({
    name: "bind-idempotency-key",
    text: `with bound as (
        insert into idempotency_key (workspace, key, run_id, created_at) values ($1, $2, $3, $4)
        on conflict (workspace, key) do nothing
        returning run_id
      )
      select run_id from bound
      union all
      select run_id from idempotency_key where workspace = $1 and key = $2
      limit 1`,
    values: [binding.workspace, binding.key, binding.runId, toTimestamp(binding.now)],
  });
  if (rows[0]) return rows[0].run_id;
  // Another transaction bound it between our snapshot and our insert: it is visible to the next statement.
  return bindIdempotencyKey(pool, binding);
}

function prefixed(alias: string, columns: string): string {
  return columns
    .split(", ")
    .map((column) => `${alias}.${column}`)
    .join(", ");
}
