/** A batch as the parameters of `millrace.flush` (`sql/000002_flush.sql`): one JSON text for each kind of rows. */
import type { StoredValue } from "@millrace/core";
import type { AttemptRow, CacheRow, FlushBatch, LiveRun, RunChange, RunEnd, TaskRunRow } from "./port.ts";

export const flushParameterCount = 8;

export function flushParameters(nodeId: number, number: number, batch: FlushBatch): unknown[] {
  const endedAt = new Map(batch.runsEnded.map((run) => [run.id, run.endedAt]));
  const goesOn = batch.taskRuns.filter((row) => !endedAt.has(row.runId));
  const final = batch.taskRuns.filter((row) => endedAt.has(row.runId));
  return [
    nodeId,
    number,
    jsonRows(batch.runsCreated, createdRow),
    jsonRows(goesOn, taskRunRow),
    jsonRows(batch.runsEnded, endedRow),
    jsonRows(final, (row) => ({ ...taskRunRow(row), run_ended_ms: endedAt.get(row.runId) })),
    jsonRows(
      batch.runsEnded.filter((run) => run.hasMoreRows),
      (run) => ({ workspace: run.workspace, run_id: run.id, ended_ms: run.endedAt }),
    ),
    restOf(batch),
  ];
}

function jsonRows<Row>(rows: readonly Row[], shape: (row: Row) => object): string | null {
  return rows.length === 0 ? null : JSON.stringify(rows.map(shape));
}

/** JSON inside of JSON: a column's text. */
export function jsonText(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function outputOf(value: StoredValue | undefined): object {
  if (value === undefined) return {};
  return value.blob === undefined
    ? { output: JSON.stringify(value.value) }
    : { output_blob: value.blob, output_bytes: value.bytes };
}

function createdRow(run: LiveRun): object {
  return {
    workspace: run.workspace,
    id: run.id,
    lane: run.lane,
    shard: run.shard,
    pipeline: run.pipeline,
    project: run.project,
    bundle: run.bundle,
    generation: run.generation,
    state: run.state,
    depth: run.depth,
    parent: jsonText(run.parent),
    labels: Object.keys(run.labels).length === 0 ? undefined : JSON.stringify(run.labels),
    params: run.params.blob === undefined ? JSON.stringify(run.params.value) : undefined,
    params_blob: run.params.blob,
    created_ms: run.createdAt,
    started_ms: run.startedAt,
  };
}

function taskRunRow(row: TaskRunRow): object {
  return {
    workspace: row.workspace,
    run_id: row.runId,
    node: row.node,
    item: row.item,
    generation: row.generation,
    state: row.state,
    attempt: row.attempt,
    dispatch: row.dispatch,
    losses: row.losses,
    worker: row.worker,
    started_ms: row.startedAt,
    ended_ms: row.endedAt,
    resume_ms: row.resumeAt,
    ...outputOf(row.output),
    reason: jsonText(row.reason),
    error: jsonText(row.error),
    child: row.childRunId,
    revoked: row.revoked,
    carried: row.carried,
  };
}

function endedRow(run: RunEnd): object {
  return {
    workspace: run.workspace,
    id: run.id,
    state: run.state,
    reason: jsonText(run.reason),
    ...outputOf(run.output),
    ended_ms: run.endedAt,
  };
}

function restOf(batch: FlushBatch): string | null {
  const rest: Record<string, unknown[]> = {};
  add(
    rest,
    "reruns",
    batch.runsCreated.filter((run) => run.generation > 1),
    ({ workspace, id, generation }) => ({ workspace, id, generation }),
  );
  add(rest, "idempotencyKeys", batch.idempotencyKeys, (row) => ({
    workspace: row.workspace,
    key: row.key,
    run_id: row.runId,
    created_ms: row.createdAt,
  }));
  add(rest, "runsChanged", batch.runsChanged, changedRow);
  add(rest, "attempts", batch.attempts, attemptRow);
  add(rest, "messagesTaken", batch.messagesTaken, (id) => ({ id }));
  add(rest, "messagesSent", batch.messagesSent, (message) => ({
    shard: message.shard,
    message: JSON.stringify(message.message),
  }));
  add(rest, "limits", batch.limits, (row) => ({
    workspace: row.workspace,
    kind: row.kind,
    name: row.name,
    shard: row.shard,
    slots: row.slots,
    set_by_operator: row.setByOperator,
  }));
  add(rest, "grantsGone", batch.grantsGone, holdOf);
  add(rest, "grants", batch.grants, (row) => ({
    ...holdOf(row),
    shard: row.shard,
    run_id: row.runId,
    slots: row.slots,
  }));
  add(rest, "requestsGone", batch.requestsGone, holdOf);
  add(rest, "requests", batch.requests, (row) => ({
    ...holdOf(row),
    shard: row.shard,
    reply_shard: row.replyShard,
    run_id: row.runId,
    slots: row.slots,
    limit_slots: row.limitSlots,
    rank: row.rank,
  }));
  add(rest, "cached", batch.cached, cachedRow);
  add(rest, "offersGone", batch.offersGone, offerKeyOf);
  add(rest, "offers", batch.offers, (row) => ({
    ...offerKeyOf(row),
    generation: row.generation,
    dispatch: row.dispatch,
    queue: row.queue,
    node_id: row.nodeId,
    shard: row.shard,
  }));
  return Object.keys(rest).length === 0 ? null : JSON.stringify(rest);
}

function offerKeyOf(row: {
  workspace: number;
  runId: string;
  node: string;
  item: string;
}): Record<string, unknown> {
  return { workspace: row.workspace, run_id: row.runId, node: row.node, item: row.item };
}

function holdOf(row: {
  workspace: number;
  kind: string;
  name: string;
  holder: string;
}): Record<string, unknown> {
  return { workspace: row.workspace, kind: row.kind, name: row.name, holder: row.holder };
}

function add<Row>(
  rest: Record<string, unknown[]>,
  name: string,
  rows: readonly Row[],
  shape: (row: Row) => unknown,
): void {
  if (rows.length > 0) rest[name] = rows.map(shape);
}

function changedRow(run: RunChange): object {
  return {
    workspace: run.workspace,
    id: run.id,
    state: run.state,
    reason: jsonText(run.reason),
    cancel: jsonText(run.cancel),
    started_ms: run.startedAt,
    wake_ms: run.wakeAt,
  };
}

function attemptRow(row: AttemptRow): object {
  return {
    workspace: row.workspace,
    run_id: row.runId,
    node: row.node,
    item: row.item,
    generation: row.generation,
    attempt: row.attempt,
    dispatch: row.dispatch,
    state: row.state,
    worker: row.worker,
    error: jsonText(row.error),
    started_ms: row.startedAt,
    ended_ms: row.endedAt,
  };
}

function cachedRow(row: CacheRow): object {
  return {
    workspace: row.workspace,
    key: row.key,
    ...outputOf(row.output),
    recorded_ms: row.recordedAt,
    expires_ms: row.expiresAt,
  };
}
