/**
 * A batch as the parameters of `millrace.flush` (`sql/000002_flush.sql`): arrays of records in PostgreSQL's text form for
 * the frequent kinds of rows, one JSON text for the rest.
 */
import {
  assert,
  assetFactOf,
  retentionClasses,
  retentionClassOf,
  type AssetFact,
  type OperationOutcome,
} from "@millrace/core";
import type { FlushBatch } from "./flush-batch.ts";
import type { AttemptRow, CacheRow, EventRow, LiveRun, RunChange, RunEnd, TaskRunRow } from "./port.ts";
import type { WaitShape } from "./wait-port.ts";
import { add, jsonText, outputText } from "./flush-fields.ts";
import { addTriggers } from "./flush-triggers.ts";
import { addProbes } from "./flush-probes.ts";
import { addSources } from "./flush-sources.ts";
import { recordArray, type RecordField } from "./record-array.ts";

export const flushParameterCount = 8;

export function flushParameters(nodeId: number, number: number, batch: FlushBatch): unknown[] {
  const endedAt = new Map(batch.runsEnded.map((run) => [run.id, run.endedAt]));
  const goesOn = batch.taskRuns.filter((row) => !endedAt.has(row.runId));
  const final = batch.taskRuns.filter((row) => endedAt.has(row.runId));
  const more = batch.runsEnded.filter((run) => run.hasMoreRows);
  return [
    nodeId,
    number,
    recordArray(
      inOneOrder(batch.runsCreated, ({ id }) => id),
      createdFields,
    ),
    recordArray(goesOn, (row) => taskRunFields(row, undefined)),
    recordArray(batch.runsEnded, endedFields),
    recordArray(final, (row) => taskRunFields(row, endedAt.get(row.runId))),
    recordArray(more, endNameFields),
    restOf(batch),
  ];
}

export const logParameterCount = 3;

/** What `millrace.flush_with_log` (`sql/000005_event_log.sql`) takes besides, of a batch that has a clock. */
export function logParameters(batch: FlushBatch): unknown[] {
  const [clock, second] = batch.clocks;
  assert(clock !== undefined && second === undefined, "a flush changes the log of one workspace");
  const isOfIt = batch.events.every((event) => event.workspace === clock.workspace);
  assert(isOfIt, "a flush's events belong to the workspace of its clock");
  return [clock.workspace, clock.at, recordArray(batch.events, eventFields)];
}

/** What `millrace.flush_with_assets` (`sql/000008_asset.sql`) takes besides; nothing where no event tells of an asset. */
export function assetParameter(batch: FlushBatch): string | undefined {
  const told: { readonly at: number; readonly fact: AssetFact }[] = [];
  for (let at = 0; at < batch.events.length; at += 1) {
    const fact = assetFactOf(batch.events[at]!);
    if (fact) told.push({ at, fact });
  }
  return recordArray(told, assetFields) ?? undefined;
}

/** As the type `flush_asset`. */
function assetFields({ at, fact }: { readonly at: number; readonly fact: AssetFact }): RecordField[] {
  const { run } = fact;
  return [
    at,
    fact.kind,
    fact.asset,
    fact.lane,
    fact.partition,
    fact.isObserved,
    fact.version,
    jsonText(fact.metadata),
    fact.revision,
    run?.id,
    run?.pipeline,
    run?.node,
    run?.item,
    run?.generation,
    fact.until,
    fact.invalid,
  ];
}

/**
 * Two servers may make the rows of one name at once, and the second waits for the first: each in its own order they would
 * wait for each other.
 */
function inOneOrder<Row>(rows: readonly Row[], nameOf: (row: Row) => string): readonly Row[] {
  if (rows.length < 2) return rows;
  return rows.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** As the type `flush_run`. */
function createdFields(run: LiveRun): RecordField[] {
  return [
    run.workspace,
    run.id,
    run.lane,
    run.shard,
    run.pipeline,
    run.project,
    run.bundle,
    run.generation,
    run.state,
    run.depth,
    jsonText(run.parent),
    Object.keys(run.labels).length === 0 ? undefined : JSON.stringify(run.labels),
    outputText(run.params),
    run.params.blob,
    run.createdAt,
    run.startedAt,
  ];
}

/** As the type `flush_task_run`. */
function taskRunFields(row: TaskRunRow, runEndedAt: number | undefined): RecordField[] {
  return [
    row.workspace,
    row.runId,
    row.node,
    row.item,
    row.generation,
    row.state,
    row.attempt,
    row.dispatch,
    row.losses,
    row.worker,
    row.startedAt,
    row.endedAt,
    row.resumeAt,
    outputText(row.output),
    row.output?.blob,
    row.output?.blob === undefined ? undefined : row.output.bytes,
    jsonText(row.reason),
    jsonText(row.error),
    row.childRunId,
    row.revoked,
    row.carried,
    runEndedAt,
  ];
}

/** As the type `flush_event`. */
function eventFields(event: EventRow): RecordField[] {
  const { data, dataText } = event;
  const isInline = data.blob === undefined;
  return [
    event.lane,
    event.source,
    event.id,
    event.type,
    event.subject,
    event.time,
    retentionClasses[retentionClassOf(event.type)],
    attributesText(event),
    isInline && data.value !== null ? (dataText ?? JSON.stringify(data.value)) : undefined,
    data.blob,
    isInline ? undefined : data.bytes,
    event.invalid,
    event.once,
  ];
}

/** Attributes that have no column; nothing when there are none. */
export interface EventAttributes {
  readonly contentType?: string | undefined;
  readonly dataSchema?: string | undefined;
  readonly isBinary?: true | undefined;
  readonly extensions?: EventRow["extensions"] | undefined;
}

function attributesText({ contentType, dataSchema, isBinary, extensions }: EventRow): string | undefined {
  const hasExtensions = Object.keys(extensions).length > 0;
  if (contentType === undefined && dataSchema === undefined && !isBinary && !hasExtensions) return undefined;
  const attributes: EventAttributes = {
    contentType,
    dataSchema,
    isBinary: isBinary ? true : undefined,
    extensions: hasExtensions ? extensions : undefined,
  };
  return JSON.stringify(attributes);
}

/** As the type `flush_run_end`. */
function endedFields(run: RunEnd): RecordField[] {
  return [
    run.workspace,
    run.id,
    run.state,
    jsonText(run.reason),
    outputText(run.output),
    run.output?.blob,
    run.output?.blob === undefined ? undefined : run.output.bytes,
    run.endedAt,
  ];
}

/** A run and its end, without what it made. */
function endNameFields({ workspace, id, endedAt }: RunEnd): RecordField[] {
  return [workspace, id, undefined, undefined, undefined, undefined, undefined, endedAt];
}

/** The parts of `flush_rest` (`sql/000014_flush_rest.sql`, `sql/000015_wait_member.sql`), which writes them in this order. */
function restOf(batch: FlushBatch): string | null {
  const rest: Record<string, unknown[]> = {};
  add(
    rest,
    "reruns",
    batch.runsCreated.filter((run) => run.generation > 1),
    ({ workspace, id, generation }) => ({ workspace, id, generation }),
  );
  const keys = inOneOrder(batch.idempotencyKeys, ({ key }) => key);
  add(rest, "idempotencyKeys", keys, (row) => ({
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
  addTriggers(rest, batch);
  addWaits(rest, batch);
  addCode(rest, batch);
  add(rest, "assetReads", batch.assetReads, (row) => ({
    workspace: row.workspace,
    run_id: row.runId,
    generation: row.generation,
    node: row.node,
    item: row.item,
    lane: row.lane,
    asset: row.asset,
    partition: row.partition,
    at_ms: row.at,
  }));
  addSources(rest, batch);
  addProbes(rest, batch);
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

function addWaits(rest: Record<string, unknown[]>, batch: FlushBatch): void {
  add(rest, "waitCursors", batch.waitCursors, ({ shard, position }) => ({ shard, position }));
  add(rest, "waitShapesGone", batch.waitShapesGone, ({ shards, ...shape }) => ({
    ...shapeOf(shape),
    shards,
  }));
  add(rest, "waitShapes", batch.waitShapes, ({ shard, ...shape }) => ({ ...shapeOf(shape), shard }));
  add(rest, "waits", batch.waits, (row) => ({
    id: row.id,
    workspace: row.workspace,
    shard: row.shard,
    run_id: row.runId,
    node: row.node,
    item: row.item,
    generation: row.generation,
    name: row.name,
    occurrence: row.occurrence,
    condition: row.condition,
    state: row.state,
    began_ms: row.beganAt,
    told_to: row.toldTo,
    timeout_ms: row.timeoutAt,
    due_ms: row.dueAt,
    match_keys: arrayText(row.matchKeys),
    approval: jsonText(row.approval),
    joins_after: row.joinsAfter,
  }));
  add(rest, "waitsChanged", batch.waitsChanged, (row) => ({
    id: row.id,
    state: row.state,
    told_to: row.toldTo,
    due_ms: row.dueAt,
    outcome: row.end && JSON.stringify({ ...row.end, outcome: storedOutcome(row.end.outcome) }),
    ended_keys: arrayText(row.endedKeys),
  }));
  add(rest, "waitsGone", batch.waitsGone, (row) => ({
    ...offerKeyOf(row),
    name: row.name,
    occurrence: row.occurrence,
  }));
  add(rest, "waitMembers", batch.waitMembers, (row) => ({
    ...offerKeyOf(row),
    position: row.position,
    generation: row.generation,
    name: row.name,
    occurrence: row.occurrence,
    ended_ms: row.endedAt,
  }));
}

function shapeOf({ workspace, type, isPrefix, path }: WaitShape): object {
  return { workspace, type, is_prefix: isPrefix, path };
}

/** An array in PostgreSQL's text form: JSON's numbers lose digits. */
function arrayText(items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : `{${items.join(",")}}`;
}

function addCode(rest: Record<string, unknown[]>, batch: FlushBatch): void {
  add(rest, "steps", batch.steps, (row) => ({
    ...offerKeyOf(row),
    generation: row.generation,
    kind: row.kind,
    name: row.name,
    occurrence: row.occurrence,
    seq: row.seq,
    attempt: row.attempt,
    dispatch: row.dispatch,
    outcome: JSON.stringify(storedOutcome(row.outcome)),
    value_blob: row.outcome.kind === "value" ? row.outcome.value.blob : undefined,
    recorded_ms: row.recordedAt,
  }));
  const codes = new Map(batch.codes.map((row) => [JSON.stringify(offerKeyOf(row)), row]));
  add(rest, "codes", [...codes.values()], (row) => ({ ...offerKeyOf(row), code: JSON.stringify(row.code) }));
  add(rest, "runsMoved", batch.runsMoved, (row) => ({ ...row }));
  add(rest, "codesGone", batch.codesGone, ({ workspace, id }) => ({ workspace, run_id: id }));
}

/** The content of a blob stays in the blob store. */
export function storedOutcome(outcome: OperationOutcome): OperationOutcome {
  if (outcome.kind !== "value" || outcome.value.blob === undefined) return outcome;
  const { blob, bytes } = outcome.value;
  return { kind: "value", value: { blob, bytes } };
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
    output: outputText(row.output),
    output_blob: row.output.blob,
    output_bytes: row.output.blob === undefined ? undefined : row.output.bytes,
    recorded_ms: row.recordedAt,
    expires_ms: row.expiresAt,
  };
}
