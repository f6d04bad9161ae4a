/** What a node reads when it takes a shard, and single runs. */
import type { Pool } from "pg";
import { toTimestamp } from "../value-types.ts";
import type {
  GrantRow,
  LimitRow,
  LoadedRun,
  LoadedShards,
  QueuedRun,
  RequestRow,
  RunKey,
  RunPosition,
  TaskRunRow,
  WaitingRun,
} from "./port.ts";
import { loadWaitsInMemory, loadWaitsOf } from "./wait-statements.ts";
import {
  liveRunColumns,
  readLiveRun,
  readTaskRun,
  taskRunColumns,
  type LiveRunColumns,
  type TaskRunColumns,
} from "./rows.ts";

/** What functions of task runs `t` have recorded and wait for. */
const withCode = `left join task_code as c
    on c.workspace = t.workspace and c.run_id = t.run_id and c.node = t.node and c.item = t.item
  left join lateral (
    select max(seq) as step_seq from step
    where t.dispatch > 0 and t.state in ('queued', 'running', 'waiting', 'retrying')
      and step.workspace = t.workspace and step.run_id = t.run_id and step.node = t.node and step.item = t.item
      and step.generation = t.generation
  ) as s on true`;

export async function loadShards(
  pool: Pool,
  nodeId: number,
  shards: readonly number[],
): Promise<LoadedShards> {
  await reapOffers(pool, nodeId, shards);
  await reapGrants(pool, nodeId, shards);
  const [runs, taskRuns, waits, limits, grants, requests] = await Promise.all([
    pool.query<LiveRunColumns>({
      name: "load-runs",
      text: `select ${liveRunColumns} from run where shard = any($1) and state in ('running', 'waiting') and wake_at is null order by id`,
      values: [shards],
    }),
    pool.query<TaskRunColumns>({
      name: "load-task-runs",
      text: `select ${prefixed("t", taskRunColumns)}, c.code, s.step_seq
        from run as r
        join task_run as t on t.workspace = r.workspace and t.run_id = r.id
        ${withCode}
        where r.shard = any($1) and r.state in ('running', 'waiting') and r.wake_at is null
        order by t.run_id`,
      values: [shards],
    }),
    loadWaitsInMemory(pool, shards),
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
    waits,
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
async function reapOffers(pool: Pool, nodeId: number, shards: readonly number[]): Promise<void> {
  await pool.query({
    name: "reap-offers",
    text: `delete from offer
      where shard = any($1) and shard in (select s.shard from shard as s where s.node_id = $2)`,
    values: [shards, nodeId],
  });
}

/** Grants of runs that are no longer live were leaked. */
async function reapGrants(pool: Pool, nodeId: number, shards: readonly number[]): Promise<void> {
  await pool.query({
    name: "reap-grants",
    text: `delete from limit_grant as g
      where g.shard = any($1)
        and g.shard in (select s.shard from shard as s where s.node_id = $2)
        and not exists (select from run as r where r.workspace = g.workspace and r.id = g.run_id)`,
    values: [shards, nodeId],
  });
}

async function loadGrants(pool: Pool, shards: readonly number[]): Promise<GrantRow[]> {
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

export async function loadQueuedRuns(
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
    bundle: string;
    generation: number;
    created_at: number;
  }>({
    name: "load-queued-runs",
    text: `select workspace, id, shard, pipeline, bundle, generation, created_at from run
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
    bundle: row.bundle,
    generation: row.generation,
    createdAt: row.created_at,
  }));
}

export async function loadRun(pool: Pool, key: RunKey): Promise<LoadedRun | undefined> {
  const [loaded] = await loadRuns(pool, key.workspace, [key.id]);
  return loaded;
}

export async function loadRuns(pool: Pool, workspace: number, ids: readonly string[]): Promise<LoadedRun[]> {
  const runs = await pool.query<LiveRunColumns>({
    name: "load-runs-of",
    text: `select ${liveRunColumns} from run where workspace = $1 and id = any($2)`,
    values: [workspace, ids],
  });
  if (runs.rows.length === 0) return [];
  const found = runs.rows.map(({ id }) => id);
  const taskRuns = await pool.query<TaskRunColumns>({
    name: "load-task-runs-of",
    text: `select ${prefixed("t", taskRunColumns)}, c.code, s.step_seq
      from task_run as t
      ${withCode}
      where t.workspace = $1 and t.run_id = any($2)`,
    values: [workspace, found],
  });
  const rows = taskRuns.rows.map(readTaskRun);
  const waiting = new Set(rows.filter(mayWait).map(({ runId }) => runId));
  const waits = waiting.size === 0 ? [] : await loadWaitsOf(pool, workspace, [...waiting]);
  const taskRunsOf = Map.groupBy(rows, ({ runId }) => runId);
  const waitsOf = Map.groupBy(waits, ({ runId }) => runId);
  return runs.rows.map((row) => ({
    run: readLiveRun(row),
    taskRuns: taskRunsOf.get(row.id) ?? [],
    waits: waitsOf.get(row.id) ?? [],
  }));
}

function mayWait({ state, code }: TaskRunRow): boolean {
  return state === "waiting" || code !== undefined;
}

export async function loadRunPositions(
  pool: Pool,
  workspace: number,
  ids: readonly string[],
): Promise<RunPosition[]> {
  const { rows } = await pool.query<{ id: string; log_position: number | null }>({
    name: "load-run-positions",
    text: "select id, log_position from run where workspace = $1 and id = any($2)",
    values: [workspace, ids],
  });
  return rows.map((row) => ({ id: row.id, position: row.log_position ?? undefined }));
}

export async function loadWaitingRuns(
  pool: Pool,
  shards: readonly number[],
  until: number,
  limit: number,
): Promise<WaitingRun[]> {
  const { rows } = await pool.query<{ workspace: number; id: string; shard: number; wake_at: number }>({
    name: "load-waiting-runs",
    text: `select workspace, id, shard, wake_at from run
      where shard = any($1) and wake_at <= $2
      order by wake_at
      limit $3`,
    values: [shards, toTimestamp(until), limit],
  });
  return rows.map(({ workspace, id, shard, wake_at: wakeAt }) => ({ workspace, id, shard, wakeAt }));
}

function prefixed(alias: string, columns: string): string {
  return columns
    .split(", ")
    .map((column) => `${alias}.${column}`)
    .join(", ");
}
