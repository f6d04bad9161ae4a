/** What a flush says of triggers and their firings. */
import { add, jsonText, outputText } from "./flush-fields.ts";
import type { FlushBatch } from "./flush-batch.ts";
import type { FiringRow } from "./trigger-port.ts";

export function addTriggers(rest: Record<string, unknown[]>, batch: FlushBatch): void {
  add(rest, "cursors", batch.cursors, ({ shard, position }) => ({ shard, position }));
  add(rest, "outboxTaken", batch.outboxTaken, (id) => ({ id }));
  add(rest, "triggers", batch.triggers, (row) => ({
    workspace: row.workspace,
    pipeline: row.pipeline,
    shard: row.shard,
    version: row.version,
    definition: jsonText(row.definition),
    activated_position: row.activated.position,
    activated_ms: row.activated.recordedAt,
    paused_position: row.paused?.position,
    paused_ms: row.paused?.recordedAt,
  }));
  add(rest, "triggerKeysGone", batch.triggerKeysGone, ({ workspace, pipeline }) => ({ workspace, pipeline }));
  add(rest, "triggerKeys", batch.triggerKeys, (row) => ({
    workspace: row.workspace,
    pipeline: row.pipeline,
    key: row.key,
    shard: row.shard,
    state: JSON.stringify(row.state),
    firings: row.firings,
    due_ms: row.dueAt,
    touched_ms: row.touchedAt,
  }));
  add(
    rest,
    "firings",
    batch.firings.filter((row) => !isGated(row)),
    firingRow,
  );
  const members = batch.firings.flatMap(membersOf);
  add(rest, "firingMembers", members, (row) => row);
  addGates(rest, batch);
}

function addGates(rest: Record<string, unknown[]>, batch: FlushBatch): void {
  add(rest, "gatedFirings", batch.firings.filter(isGated), (row) => ({
    ...firingRow(row),
    gate: row.gate,
    into_run: row.into?.runId,
    member_from: row.into?.from,
    member_count: row.into && row.members.length,
    causes: row.causes,
  }));
  add(rest, "firingChanges", batch.firingChanges, (row) => ({
    workspace: row.workspace,
    run_id: row.runId,
    gate: row.gate,
    reason: jsonText(row.reason),
    has_value: row.value !== undefined,
    value: outputText(row.value),
    value_blob: row.value?.blob,
    causes: row.causes,
  }));
  add(rest, "silences", batch.firings.flatMap(silencesOf), (row) => row);
}

/** Those that have more than others. */
function isGated({ gate, into, causes }: FiringRow): boolean {
  return gate !== undefined || into !== undefined || causes !== undefined;
}

function firingRow(row: FiringRow): object {
  return {
    workspace: row.workspace,
    pipeline: row.pipeline,
    version: row.version,
    key: row.key,
    occurrence: row.occurrence,
    revision: row.revision,
    at_ms: row.at,
    position: row.position,
    run_id: row.runId,
    reason: jsonText(row.reason),
    value: outputText(row.value),
    value_blob: row.value?.blob,
  };
}

function silencesOf(row: FiringRow): object[] {
  const { workspace, members } = row;
  const { runId, from } = memberPlace(row);
  if (runId === undefined) return [];
  return members.flatMap(({ kind }, at) =>
    kind === "silence" ? { workspace, run_id: runId, ordinal: from + at } : [],
  );
}

/** Members stand below the run that takes them. */
function memberPlace({ runId, into }: FiringRow): {
  readonly runId: string | undefined;
  readonly from: number;
} {
  return into ?? { runId, from: 0 };
}

/** A firing without a run has no members: its row says why. */
function membersOf(row: FiringRow): object[] {
  const { workspace, members } = row;
  const { runId, from } = memberPlace(row);
  if (runId === undefined) return [];
  return members.map((member, at) => {
    const common = { workspace, run_id: runId, ordinal: from + at, operand: member.operand };
    return member.kind === "event"
      ? { ...common, position: member.position }
      : { ...common, from_ms: member.from, to_ms: member.at };
  });
}
