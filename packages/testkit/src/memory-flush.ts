/** One flush in memory: the rows of `sql/000002_flush.sql`, in its order, under its constraints; all or nothing. */
import { callDepthMax, isEndState, isRunEnded, unseenProbe, type Json } from "@millrace/core";
import type {
  FlushBatch,
  LimitHold,
  LiveRun,
  OfferKey,
  RunEnd,
  TaskRunRow,
  WaitName,
  WaitRow,
  ThingName,
} from "@millrace/store";
import { MemoryConstraintError } from "./memory-constraint-error.ts";
import { readUse, useKey } from "./memory-assets.ts";
import { logHeadOf } from "./memory-log.ts";
import { keyOf, shapeKey, type MemoryTables } from "./memory-tables.ts";

type Undo = (() => void)[];

export function applyFlush(
  tables: MemoryTables,
  batch: FlushBatch,
  putMessage: (shard: number, message: Json) => void,
): void {
  const undo: Undo = [];
  try {
    change(tables, batch, undo);
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
  // Last, as identities of the inbox are not given back.
  for (const { shard, message } of batch.messagesSent) putMessage(shard, message);
}

/** Throws what `applyFlush` would throw, and changes nothing. */
export function tryFlush(tables: MemoryTables, batch: FlushBatch): void {
  const undo: Undo = [];
  try {
    change(tables, batch, undo);
  } finally {
    for (const step of undo.reverse()) step();
  }
}

function change(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  for (const run of batch.runsCreated) {
    insert(
      { name: "run_pkey", table: tables.runs, undo },
      keyOf(run.workspace, run.id),
      checkedRun({ ...run, reason: undefined, cancel: undefined, wakeAt: undefined }),
    );
    const { position } = logHeadOf(tables, run.workspace);
    put(tables.runPositions, keyOf(run.workspace, run.id), position, undo);
  }
  for (const run of batch.runsCreated) if (run.generation > 1) checkGeneration(tables, run);
  for (const row of batch.idempotencyKeys) {
    const into = { name: "idempotency_key_pkey", table: tables.idempotencyKeys, undo };
    insert(into, keyOf(row.workspace, row.key), row);
  }
  changeRest(tables, batch, undo);
  changeTriggers(tables, batch, undo);
  changeWaits(tables, batch, undo);
  changeCode(tables, batch, undo);
  for (const row of batch.assetReads) {
    const use = readUse(tables, row);
    put(tables.assetUses, useKey(use), use, undo);
  }
  changeSources(tables, batch, undo);
  changeProbes(tables, batch, undo);
  for (const row of batch.offersGone) remove(tables.offers, offerKey(row), undo);
  once("offer_pkey", batch.offers, offerKey);
  for (const row of batch.offers) put(tables.offers, offerKey(row), row, undo);
  once("task_run_pkey", batch.taskRuns, (row) => keyOf(row.workspace, row.runId, row.node, row.item));
  for (const row of batch.taskRuns) putTaskRun(tables, checkedTaskRun(row), undo);
  const changed = Map.groupBy(batch.taskRuns, (row) => keyOf(row.workspace, row.runId));
  for (const end of batch.runsEnded)
    endRun(tables, end, changed.get(keyOf(end.workspace, end.id)) ?? [], undo);
}

function changeRest(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  for (const { workspace, id, ...changed } of batch.runsChanged) {
    const name = keyOf(workspace, id);
    const run = tables.runs.get(name);
    if (run) put(tables.runs, name, checkedRun({ ...run, ...pickChange(changed) }), undo);
  }
  for (const { workspace, id, generation, bundle } of batch.runsMoved) {
    const name = keyOf(workspace, id);
    const run = tables.runs.get(name);
    if (run?.generation === generation) put(tables.runs, name, { ...run, bundle }, undo);
  }
  for (const row of batch.attempts) {
    check(
      "attempt_history_state_known",
      ["succeeded", "failed", "skipped", "cancelled", "lost", "suspended"].includes(row.state),
    );
    const key = keyOf(
      row.workspace,
      row.runId,
      row.node,
      row.item,
      row.generation,
      row.dispatch,
      row.endedAt,
    );
    insert({ name: "attempt_history_pkey", table: tables.attemptHistory, undo }, key, row);
  }
  for (const id of batch.messagesTaken) remove(tables.inbox, id, undo);
  changeLimits(tables, batch, undo);
  once("cached_output_pkey", batch.cached, (row) => keyOf(row.workspace, row.key));
  for (const row of batch.cached) put(tables.cached, keyOf(row.workspace, row.key), row, undo);
}

function changeTriggers(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  for (const { shard, position } of batch.cursors) {
    const row = tables.shards[shard]!;
    const before = row.logPosition;
    row.logPosition = Math.max(before, position);
    undo.push(() => {
      row.logPosition = before;
    });
  }
  for (const id of batch.outboxTaken) remove(tables.outbox, id, undo);
  once("trigger_pkey", batch.triggers, (row) => keyOf(row.workspace, row.pipeline));
  for (const row of batch.triggers) put(tables.triggers, keyOf(row.workspace, row.pipeline), row, undo);
  for (const { workspace, pipeline } of batch.triggerKeysGone)
    for (const [name, row] of tables.triggerKeys)
      if (row.workspace === workspace && row.pipeline === pipeline) remove(tables.triggerKeys, name, undo);
  once("trigger_key_pkey", batch.triggerKeys, (row) => keyOf(row.workspace, row.pipeline, row.key));
  for (const row of batch.triggerKeys)
    put(tables.triggerKeys, keyOf(row.workspace, row.pipeline, row.key), row, undo);
  for (const row of batch.firings) {
    check("firing_has_run_or_reason", row.runId !== undefined || row.reason !== undefined);
    check("firing_at_gate_has_run", row.gate === undefined || row.runId !== undefined);
    check("firing_merged_has_no_run", row.into === undefined || row.runId === undefined);
    const { workspace, pipeline, version, key, occurrence, revision } = row;
    const name = keyOf(workspace, pipeline, version, key, occurrence, revision);
    insert({ name: "firing_pkey", table: tables.firings, undo }, name, row);
  }
  for (const row of batch.firingChanges) changeFiring(tables, row, undo);
}

function changeFiring(tables: MemoryTables, row: FlushBatch["firingChanges"][number], undo: Undo): void {
  const { workspace, runId, gate, reason, value, causes } = row;
  for (const [name, firing] of tables.firings) {
    if (firing.workspace !== workspace || firing.runId !== runId) continue;
    const changed = {
      ...firing,
      gate,
      reason: reason ?? firing.reason,
      value: value ?? firing.value,
      causes: causes ?? firing.causes,
    };
    put(tables.firings, name, changed, undo);
  }
  const run = tables.runs.get(keyOf(workspace, runId));
  if (run?.isGated && gate === undefined) {
    const { isGated: _isGated, ...left } = run;
    put(tables.runs, keyOf(workspace, runId), left, undo);
  }
}

function changeWaits(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  for (const { shard, position } of batch.waitCursors) {
    const row = tables.shards[shard]!;
    const before = row.waitPosition;
    row.waitPosition = Math.max(before, position);
    undo.push(() => {
      row.waitPosition = before;
    });
  }
  for (const gone of batch.waitShapesGone)
    for (const shard of gone.shards) remove(tables.waitShapes, shapeKey({ ...gone, shard }), undo);
  for (const row of batch.waitShapes) put(tables.waitShapes, shapeKey(row), row, undo);
  for (const row of batch.waits) {
    if (tables.waits.has(row.id)) throw new MemoryConstraintError("23505", "wait_pkey");
    put(tables.waits, row.id, row, undo);
  }
  for (const { id, state, toldTo, dueAt, end } of batch.waitsChanged) {
    const wait = tables.waits.get(id);
    if (!wait) continue;
    const matchKeys = end ? [] : wait.matchKeys;
    put(tables.waits, id, { ...wait, state, toldTo, dueAt, end, matchKeys }, undo);
  }
  for (const gone of batch.waitsGone)
    for (const [id, wait] of tables.waits) if (isNamed(wait, gone)) remove(tables.waits, id, undo);
}

function isNamed(wait: WaitRow, gone: WaitName): boolean {
  if (wait.workspace !== gone.workspace || wait.runId !== gone.runId) return false;
  if (wait.node !== gone.node || wait.item !== gone.item) return false;
  return gone.name === undefined || (wait.name === gone.name && wait.occurrence === gone.occurrence);
}

function changeCode(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  once("step_pkey", batch.steps, (row) =>
    keyOf(row.workspace, row.runId, row.node, row.item, row.generation, row.kind, row.name, row.occurrence),
  );
  for (const row of batch.steps) {
    const { workspace, runId, node, item, generation, kind, name, occurrence } = row;
    const key = keyOf(workspace, runId, node, item, generation, kind, name, occurrence);
    const known = tables.steps.get(key);
    const isOld = known?.kind === "step" && known.outcome.kind === "error" && known.attempt < row.attempt;
    if (!known || isOld) put(tables.steps, key, row, undo);
  }
  once("task_code_pkey", batch.codes, (row) => keyOf(row.workspace, row.runId, row.node, row.item));
  for (const row of batch.codes)
    put(tables.codes, keyOf(row.workspace, row.runId, row.node, row.item), row, undo);
  for (const { workspace, id } of batch.codesGone)
    for (const [key, row] of tables.codes)
      if (row.workspace === workspace && row.runId === id) remove(tables.codes, key, undo);
}

function changeSources(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  once("source_pkey", batch.sources, (row) => keyOf(row.workspace, row.name));
  for (const row of batch.sources) {
    check("source_failing_says_why", (row.state === "failing") === (row.error !== undefined));
    put(tables.sources, keyOf(row.workspace, row.name), row, undo);
  }
  for (const { workspace, source } of batch.sourcesForgotten)
    for (const [name, row] of tables.things)
      if (row.workspace === workspace && row.source === source) remove(tables.things, name, undo);
  for (const row of batch.thingsForgotten) remove(tables.things, thingKey(row), undo);
  once("source_memory_pkey", batch.thingsRemembered, thingKey);
  for (const row of batch.thingsRemembered) put(tables.things, thingKey(row), row, undo);
}

function changeProbes(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  once("probe_pkey", batch.probes, (row) => keyOf(row.workspace, row.id));
  for (const row of batch.probes) {
    check("probe_failing_says_why", row.failures === 0 || row.error !== undefined);
    put(tables.probes, keyOf(row.workspace, row.id), row, undo);
  }
  once("probe_pkey", batch.probesWanted, (row) => keyOf(row.workspace, row.id));
  for (const wanted of batch.probesWanted) {
    const key = keyOf(wanted.workspace, wanted.id);
    const known = tables.probes.get(key);
    if (known?.nextAt === undefined)
      put(
        tables.probes,
        key,
        { ...unseenProbe, ...known, ...wanted, shard: known?.shard ?? wanted.shard },
        undo,
      );
  }
}

export function thingKey(row: ThingName): string {
  return keyOf(row.workspace, row.source, row.key);
}

function changeLimits(tables: MemoryTables, batch: FlushBatch, undo: Undo): void {
  once("shared_limit_pkey", batch.limits, limitKey);
  for (const row of batch.limits) {
    check("shared_limit_kind_known", ["pool", "key", "pipeline"].includes(row.kind));
    check("shared_limit_slots_bounded", row.slots >= 0 && row.slots <= 1_000_000);
    const shard = tables.limits.get(limitKey(row))?.shard ?? row.shard;
    put(tables.limits, limitKey(row), { ...row, shard }, undo);
  }
  for (const row of batch.grantsGone) remove(tables.grants, holdKey(row), undo);
  for (const row of batch.grants) {
    check("limit_grant_slots_positive", row.slots > 0);
    insert({ name: "limit_grant_pkey", table: tables.grants, undo }, holdKey(row), row);
  }
  for (const row of batch.requestsGone) remove(tables.requests, holdKey(row), undo);
  for (const row of batch.requests)
    insert({ name: "limit_request_pkey", table: tables.requests, undo }, holdKey(row), row);
}

export function offerKey(row: OfferKey): string {
  return keyOf(row.workspace, row.runId, row.node, row.item);
}

function limitKey(row: Omit<LimitHold, "holder">): string {
  return keyOf(row.workspace, row.kind, row.name);
}

function holdKey(row: LimitHold): string {
  return keyOf(row.workspace, row.kind, row.name, row.holder);
}

function pickChange(changed: Omit<FlushBatch["runsChanged"][number], "workspace" | "id">): Partial<LiveRun> {
  const { state, reason, cancel, startedAt, wakeAt } = changed;
  return { state, reason, cancel, startedAt, wakeAt };
}

function putTaskRun(tables: MemoryTables, row: TaskRunRow, undo: Undo): void {
  const run = keyOf(row.workspace, row.runId);
  let rows = tables.taskRuns.get(run);
  if (!rows) {
    rows = new Map();
    put(tables.taskRuns, run, rows, undo);
  }
  put(rows, keyOf(row.node, row.item), row, undo);
}

function endRun(tables: MemoryTables, end: RunEnd, changed: readonly TaskRunRow[], undo: Undo): void {
  const name = keyOf(end.workspace, end.id);
  const run = tables.runs.get(name);
  const taskRuns = tables.taskRuns.get(name);
  if (run) {
    check("run_history_state_ended", isRunEnded(end.state));
    const { cancel: _cancel, wakeAt: _wakeAt, ...kept } = run;
    const { state, reason, output, endedAt } = end;
    remove(tables.runs, name, undo);
    remove(tables.runPositions, name, undo);
    insert(
      { name: "run_history_pkey", table: tables.runHistory, undo },
      keyOf(end.workspace, end.id, run.generation, endedAt),
      { ...kept, state, reason, output, endedAt },
    );
  }
  const final = new Set(changed.map((row) => keyOf(row.node, row.item)));
  if (!end.hasMoreRows && [...(taskRuns?.keys() ?? [])].some((key) => !final.has(key)))
    throw new Error(`invariant broken: the run ${end.id} ended and has more rows than its end says`);
  remove(tables.taskRuns, name, undo);
  for (const row of taskRuns?.values() ?? []) {
    if (row.carried) continue;
    const key = keyOf(row.workspace, row.runId, row.generation, row.node, row.item, end.endedAt);
    insert({ name: "task_run_history_pkey", table: tables.taskRunHistory, undo }, key, row);
  }
}

/** Another server may have made this generation meanwhile, and it may have ended. */
function checkGeneration(tables: MemoryTables, run: LiveRun): void {
  for (const ended of tables.runHistory.values()) {
    if (ended.workspace !== run.workspace || ended.id !== run.id) continue;
    if (ended.generation >= run.generation) throw new MemoryConstraintError("23505", "run_pkey");
  }
}

// --- constraints ------------------------------------------------------------------------------------------------------

function checkedRun(run: LiveRun): LiveRun {
  const { state } = run;
  check("run_state_live", ["queued", "running", "waiting", "quarantined"].includes(state));
  check("run_started", state === "quarantined" || (state === "queued") === (run.startedAt === undefined));
  check("run_quarantine_has_reason", state !== "quarantined" || run.reason !== undefined);
  check("run_generation_positive", run.generation > 0);
  check("run_depth_bounded", run.depth >= 0 && run.depth <= callDepthMax);
  check("run_wakes_under_way", run.wakeAt === undefined || state === "running" || state === "waiting");
  return run;
}

function checkedTaskRun(row: TaskRunRow): TaskRunRow {
  const { state } = row;
  check("task_run_state_known", state !== "pending");
  check(
    "task_run_running_has_dispatch",
    state !== "running" || (row.dispatch > 0 && row.worker !== undefined && row.startedAt !== undefined),
  );
  check("task_run_retrying_has_due", state !== "retrying" || row.resumeAt !== undefined);
  check("task_run_ended_has_end", isEndState(state) === (row.endedAt !== undefined));
  check("task_run_output_only_of_success", state === "succeeded" || row.output === undefined);
  const saysWhy = !["failed", "upstream_failed", "cancelled"].includes(state) || row.reason !== undefined;
  check("task_run_failed_says_why", saysWhy);
  // SQL has no value for "no output" beside JSON's null.
  return state === "succeeded" && row.output === undefined ? { ...row, output: { value: null } } : row;
}

function check(constraint: string, holds: boolean): void {
  if (!holds) throw new MemoryConstraintError("23514", constraint);
}

/** `on conflict do update` refuses to change a row twice. */
function once<Row>(constraint: string, rows: readonly Row[], key: (row: Row) => string): void {
  if (new Set(rows.map(key)).size < rows.length) throw new MemoryConstraintError("21000", constraint);
}

function put<Key, Row>(table: Map<Key, Row>, key: Key, row: Row, undo: Undo): void {
  const before = table.get(key);
  const had = table.has(key);
  undo.push(() => {
    if (had) table.set(key, before as Row);
    else table.delete(key);
  });
  table.set(key, row);
}

function insert<Row>(
  into: { readonly name: string; readonly table: Map<string, Row>; readonly undo: Undo },
  key: string,
  row: Row,
): void {
  if (into.table.has(key)) throw new MemoryConstraintError("23505", into.name);
  put(into.table, key, row, into.undo);
}

function remove<Key, Row>(table: Map<Key, Row>, key: Key, undo: Undo): void {
  const before = table.get(key);
  if (before === undefined) return;
  undo.push(() => table.set(key, before));
  table.delete(key);
}
