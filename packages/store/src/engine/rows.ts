/** Reads what PostgreSQL answers into the port's rows. */
import type {
  AttemptError,
  CodeRecord,
  Json,
  Reason,
  RunState,
  StoredValue,
  TaskRunState,
} from "@millrace/core";
import type { LiveRun, RunParent, TaskRunRow } from "./port.ts";

export interface LiveRunColumns {
  workspace: number;
  id: string;
  lane: string;
  shard: number;
  pipeline: string;
  project: string;
  bundle: string;
  generation: number;
  state: RunState;
  reason: Reason | null;
  depth: number;
  parent: RunParent | null;
  labels: Record<string, string> | null;
  params: Json;
  params_blob: string | null;
  firing: FiringColumns | null;
  cancel: LiveRun["cancel"] | null;
  created_at: number;
  started_at: number | null;
  wake_at: number | null;
}

/** What a run's tasks see of the firing that started it; `table` is `run` or `run_history`. */
export function firingColumn(table: string): string {
  return `(
    select json_build_object('value', f.value, 'blob', f.value_blob, 'causes', f.causes, 'gate', f.gate)
    from firing as f
    where f.workspace = ${table}.workspace and f.run_id = ${table}.id
  ) as firing`;
}

export const liveRunColumns = `workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, parent, labels, params, params_blob, cancel, created_at, started_at, wake_at, ${firingColumn("run")}`;

export function readLiveRun(row: LiveRunColumns): LiveRun {
  return {
    workspace: row.workspace,
    id: row.id,
    lane: row.lane,
    shard: row.shard,
    pipeline: row.pipeline,
    project: row.project,
    bundle: row.bundle,
    generation: row.generation,
    state: row.state,
    reason: row.reason ?? undefined,
    depth: row.depth,
    parent: row.parent ?? undefined,
    labels: row.labels ?? {},
    params: row.params_blob === null ? { value: row.params } : { blob: row.params_blob, bytes: 0 },
    ...readFiring(row.firing),
    cancel: row.cancel ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    wakeAt: row.wake_at ?? undefined,
  };
}

/** What a run's tasks see of its firing: from the table `firing`, by the run. */
export interface FiringColumns {
  value: Json;
  blob: string | null;
  causes: string | null;
  gate: string | null;
}

export function readFiring(firing: FiringColumns | null): Pick<LiveRun, "firing" | "causes" | "isGated"> {
  if (firing === null) return {};
  return {
    firing: readStored(firing.value, firing.blob, null),
    ...(firing.causes === null ? {} : { causes: firing.causes }),
    ...(firing.gate === null ? {} : { isGated: true }),
  };
}

export interface TaskRunColumns {
  workspace: number;
  run_id: string;
  node: string;
  item: string;
  generation: number;
  state: TaskRunState;
  attempt: number;
  dispatch: number;
  losses: number;
  worker: string | null;
  started_at: number | null;
  ended_at: number | null;
  resume_at: number | null;
  output: Json;
  output_blob: string | null;
  output_bytes: number | null;
  reason: Reason | null;
  error: AttemptError | null;
  child_run_id: string | null;
  revoked: boolean;
  carried: boolean;
  /** Where the reader asked for it: what its function waits for, and how much it has recorded. */
  code?: CodeRecord | null;
  step_seq?: number | null;
}

export const taskRunColumns =
  "workspace, run_id, node, item, generation, state, attempt, dispatch, losses, worker, started_at, ended_at, resume_at, output, output_blob, output_bytes, reason, error, child_run_id, revoked, carried";

export function readTaskRun(row: TaskRunColumns): TaskRunRow {
  return {
    workspace: row.workspace,
    runId: row.run_id,
    node: row.node,
    item: row.item,
    generation: row.generation,
    state: row.state,
    attempt: row.attempt,
    dispatch: row.dispatch,
    losses: row.losses,
    worker: row.worker ?? undefined,
    output: row.state === "succeeded" ? readStored(row.output, row.output_blob, row.output_bytes) : undefined,
    error: row.error ?? undefined,
    reason: row.reason ?? undefined,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    resumeAt: row.resume_at ?? undefined,
    childRunId: row.child_run_id ?? undefined,
    revoked: row.revoked,
    carried: row.carried,
    ...readCode(row),
  };
}

function readCode({ code, step_seq: seq }: TaskRunColumns): Pick<TaskRunRow, "code"> {
  if (!code && !seq) return {};
  const known = code ?? { wokenAt: 0, ranMs: 0, open: [], seen: {} };
  return { code: { ...known, seq: seq ?? 0 } };
}

/** SQL has no value for "no output" beside JSON's null: whoever asks knows that there is one. */
export function readStored(value: Json, blob: string | null, bytes: number | null): StoredValue {
  return blob === null ? { value } : { blob, bytes: bytes ?? 0 };
}
