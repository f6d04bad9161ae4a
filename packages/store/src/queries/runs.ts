/** Runs as people read them: live rows, and history of all generations. */
import type { Json, RunState, StoredValue } from "@millrace/core";
import type { PoolClient } from "pg";
import type { Database } from "../connect.ts";
import type { AttemptRow, LiveRun, TaskRunRow } from "../engine/port.ts";
import {
  firingColumn,
  liveRunColumns,
  readLiveRun,
  readStored,
  readTaskRun,
  taskRunColumns,
  type FiringColumns,
  type LiveRunColumns,
  type TaskRunColumns,
} from "../engine/rows.ts";
import { toTimestamp } from "../value-types.ts";

/** A run's generation that ended. */
export interface EndedRun extends LiveRun {
  readonly output: StoredValue | undefined;
  readonly endedAt: number;
}

export interface FoundRun {
  readonly live: LiveRun | undefined;
  /** Ended generations, newest first. */
  readonly ended: readonly EndedRun[];
}

export interface EndedRunColumns extends Omit<LiveRunColumns, "firing" | "cancel" | "wake_at"> {
  output: Json;
  output_blob: string | null;
  output_bytes: number | null;
  ended_at: number;
  firing?: FiringColumns | null;
}

export const endedRunColumns =
  "workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, parent, labels, params, params_blob, output, output_blob, output_bytes, created_at, started_at, ended_at";

export function readEndedRun(row: EndedRunColumns): EndedRun {
  return {
    ...readLiveRun({ ...row, firing: row.firing ?? null, cancel: null, wake_at: null }),
    output: readStored(row.output, row.output_blob, row.output_bytes),
    endedAt: row.ended_at,
  };
}

/** One consistent view of a run: what is live, and which generations have ended. `since`: it did not exist before. */
export async function findRun(
  database: Database,
  workspace: number,
  id: string,
  since: number,
): Promise<FoundRun> {
  return inSnapshot(database, (client) => readRun(client, workspace, id, since));
}

async function readRun(client: PoolClient, workspace: number, id: string, since: number): Promise<FoundRun> {
  const live = await client.query<LiveRunColumns>({
    name: "find-live-run",
    text: `select ${liveRunColumns} from run where workspace = $1 and id = $2`,
    values: [workspace, id],
  });
  const ended = await client.query<EndedRunColumns>({
    name: "find-ended-run",
    text: `select ${endedRunColumns}, ${firingColumn("run_history")}
      from run_history
      where workspace = $1 and id = $2 and ended_at >= $3
      order by generation desc, ended_at desc`,
    values: [workspace, id, toTimestamp(since)],
  });
  return {
    live: live.rows[0] && readLiveRun(live.rows[0]),
    ended: ended.rows.map(readEndedRun),
  };
}

/** A run with the rows of its task runs: live ones, and of every ended generation. */
export interface FoundRunRows extends FoundRun {
  readonly liveTaskRuns: readonly TaskRunRow[];
  /** Without outputs; by node, item and generation, newest generation first. */
  readonly endedTaskRuns: readonly TaskRunRow[];
}

/** Everything of a run but the outputs of ended task runs. */
export async function findRunRows(
  database: Database,
  workspace: number,
  id: string,
  since: number,
): Promise<FoundRunRows> {
  return inSnapshot(database, async (client) => {
    const found = await readRun(client, workspace, id, since);
    const live = found.live
      ? await client.query<TaskRunColumns>({
          name: "find-live-task-runs",
          text: `select ${taskRunColumns} from task_run where workspace = $1 and run_id = $2`,
          values: [workspace, id],
        })
      : undefined;
    const ended =
      found.ended.length > 0
        ? await client.query<TaskRunColumns>({
            name: "find-ended-task-runs",
            text: `select ${endedTaskRunColumns("null::json")}
              from task_run_history
              where workspace = $1 and run_id = $2 and run_ended_at >= $3
              order by node, item, generation desc, run_ended_at desc`,
            values: [workspace, id, toTimestamp(since)],
          })
        : undefined;
    return {
      ...found,
      liveTaskRuns: live?.rows.map(readTaskRun) ?? [],
      endedTaskRuns: ended?.rows.map(readTaskRun) ?? [],
    };
  });
}

function endedTaskRunColumns(output: string): string {
  return `workspace, run_id, node, item, generation, state, attempt, dispatch, 0 as losses, worker, started_at, ended_at,
    null::timestamptz as resume_at, ${output} as output, output_blob, output_bytes, reason, error, child_run_id,
    false as revoked, false as carried`;
}

export interface TaskRunName {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
}

export interface StoredOutput {
  readonly name: TaskRunName;
  readonly output: StoredValue;
}

/** Outputs of ended task runs by name. */
export async function findOutputs(
  database: Database,
  workspace: number,
  runId: string,
  query: { readonly since: number; readonly names: readonly TaskRunName[] },
): Promise<StoredOutput[]> {
  if (query.names.length === 0) return [];
  const { rows } = await database.api.query<{
    node: string;
    item: string;
    generation: number;
    output: Json;
    output_blob: string | null;
    output_bytes: number | null;
  }>({
    name: "find-outputs",
    text: `select h.node, h.item, h.generation, h.output, h.output_blob, h.output_bytes
      from unnest($3::text[], $4::text[], $5::integer[]) as w (node, item, generation)
      join task_run_history as h
        on h.workspace = $1 and h.run_id = $2 and h.generation = w.generation and h.node = w.node and h.item = w.item
      where h.run_ended_at >= $6 and h.state = 'succeeded'`,
    values: [
      workspace,
      runId,
      query.names.map((name) => name.node),
      query.names.map((name) => name.item),
      query.names.map((name) => name.generation),
      toTimestamp(query.since),
    ],
  });
  return rows.map((row) => ({
    name: { node: row.node, item: row.item, generation: row.generation },
    output: readStored(row.output, row.output_blob, row.output_bytes),
  }));
}

/** Attempts that ended without ending their task run, of the named nodes and items, oldest first. */
export async function findAttempts(
  database: Database,
  workspace: number,
  runId: string,
  query: {
    readonly since: number;
    readonly generation: number;
    readonly names: readonly { readonly node: string; readonly item: string }[];
    readonly limit: number;
  },
): Promise<AttemptRow[]> {
  if (query.names.length === 0) return [];
  const { rows } = await database.api.query<{
    node: string;
    item: string;
    generation: number;
    attempt: number;
    dispatch: number;
    state: AttemptRow["state"];
    worker: string | null;
    error: AttemptRow["error"] | null;
    started_at: number;
    ended_at: number;
  }>({
    name: "find-attempts",
    text: `select a.node, a.item, a.generation, a.attempt, a.dispatch, a.state, a.worker, a.error, a.started_at, a.ended_at
      from unnest($3::text[], $4::text[]) as w (node, item)
      join attempt_history as a
        on a.workspace = $1 and a.run_id = $2 and a.node = w.node and a.item = w.item
      where a.ended_at >= $5 and a.generation <= $6
      order by a.node, a.item, a.generation, a.dispatch
      limit $7`,
    values: [
      workspace,
      runId,
      query.names.map((name) => name.node),
      query.names.map((name) => name.item),
      toTimestamp(query.since),
      query.generation,
      query.limit,
    ],
  });
  return rows.map((row) => ({
    workspace,
    runId,
    node: row.node,
    item: row.item,
    generation: row.generation,
    attempt: row.attempt,
    dispatch: row.dispatch,
    state: row.state,
    worker: row.worker ?? undefined,
    error: row.error ?? undefined,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }));
}

/** The newest run of each of these pipelines. */
export async function lastRuns(
  database: Database,
  workspace: number,
  { pipelines, now }: { readonly pipelines: readonly string[]; readonly now: number },
): Promise<Map<string, LastRun>> {
  const since = now - recentMs;
  const recent = await lastRunsSince(database, workspace, { pipelines, since });
  // What was made before may have ended later than a run that was made after it.
  const found = new Map([...recent].filter(([, { createdAt }]) => createdAt >= since));
  const others = pipelines.filter((name) => !found.has(name));
  if (others.length === 0) return found;
  return new Map([...found, ...(await lastRunsSince(database, workspace, { pipelines: others, since: 0 }))]);
}

/** Most pipelines ran in these days: for those no earlier partition is looked at. */
const recentMs = 2 * 86_400_000;

export interface LastRun {
  readonly id: string;
  readonly state: RunState;
  readonly createdAt: number;
}

async function lastRunsSince(
  database: Database,
  workspace: number,
  { pipelines, since }: { readonly pipelines: readonly string[]; readonly since: number },
): Promise<Map<string, LastRun>> {
  const { rows } = await database.api.query<{
    pipeline: string;
    id: string;
    state: RunState;
    created_at: number;
  }>({
    name: "last-runs",
    text: `select p.pipeline, l.id, l.state, l.created_at
      from unnest($2::text[]) as p (pipeline)
      cross join lateral (
        select id, state, created_at from (
          (
            select id, state, created_at, 1000000 as generation from run as r
            where r.workspace = $1 and r.pipeline = p.pipeline
            order by id desc
            limit 1
          )
          union all
          (
            select id, state, created_at, generation from run_history as h
            where h.workspace = $1 and h.pipeline = p.pipeline and h.ended_at >= $3
            order by id desc, generation desc
            limit 1
          )
        ) as newest
        order by id desc, generation desc
        limit 1
      ) as l`,
    values: [workspace, pipelines, toTimestamp(since)],
  });
  return new Map(
    rows.map((row) => [row.pipeline, { id: row.id, state: row.state, createdAt: row.created_at }]),
  );
}

export async function inSnapshot<Answer>(
  database: Database,
  read: (client: PoolClient) => Promise<Answer>,
): Promise<Answer> {
  const client = await database.api.connect();
  try {
    await client.query("begin transaction isolation level repeatable read read only");
    const answer = await read(client);
    await client.query("commit");
    client.release();
    return answer;
  } catch (error) {
    client.release(error instanceof Error ? error : true);
    throw error;
  }
}
