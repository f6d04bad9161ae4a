/** Reading triggers in memory, as `packages/store/src/engine/trigger-statements.ts` does. */
import type { FiringName, Member } from "@millrace/core";
import {
  byGateOrder,
  type FiringRow,
  type GateAsk,
  type GateRows,
  type LoadedTriggers,
  type RunKey,
  type TriggerKeyRow,
} from "@millrace/store";
import { keyOf, type MemoryTables } from "./memory-tables.ts";

export function loadMemoryTriggers(tables: MemoryTables, shards: readonly number[]): LoadedTriggers {
  const triggers = [...tables.triggers.values()].filter(({ shard }) => shards.includes(shard));
  return {
    triggers,
    keys: triggers.flatMap(
      ({ workspace, pipeline }) => tables.triggerKeys.get(keyOf(workspace, pipeline, "")) ?? [],
    ),
    cursors: tables.shards
      .filter(({ shard }) => shards.includes(shard))
      .map(({ shard, logPosition }) => ({ shard, position: logPosition })),
  };
}

export function namedMemoryKeys(
  { triggerKeys }: MemoryTables,
  workspace: number,
  names: readonly { readonly pipeline: string; readonly key: string }[],
): TriggerKeyRow[] {
  return names.flatMap(({ pipeline, key }) => triggerKeys.get(keyOf(workspace, pipeline, key)) ?? []);
}

export function keysOfMemoryTrigger(
  tables: MemoryTables,
  of: { readonly workspace: number; readonly pipeline: string },
): TriggerKeyRow[] {
  return [...tables.triggerKeys.values()]
    .filter(
      ({ workspace, pipeline, key }) => workspace === of.workspace && pipeline === of.pipeline && key !== "",
    )
    .toSorted((a, b) => b.touchedAt - a.touchedAt || (a.key < b.key ? -1 : 1));
}

export function loadDueMemoryKeys(
  tables: MemoryTables,
  shards: readonly number[],
  until: number,
): TriggerKeyRow[] {
  return [...tables.triggerKeys.values()]
    .filter(
      ({ key, shard, dueAt }) =>
        key !== "" && dueAt !== undefined && dueAt <= until && shards.includes(shard),
    )
    .toSorted((a, b) => a.dueAt! - b.dueAt!);
}

export function revisedMemoryRun(
  tables: MemoryTables,
  workspace: number,
  { pipeline, version, key, occurrence, revision }: FiringName,
): string | undefined {
  return [...tables.firings.values()]
    .filter(
      (row) =>
        row.workspace === workspace &&
        row.pipeline === pipeline &&
        row.version <= version &&
        row.version >= version - 20 &&
        row.key === key &&
        row.occurrence === occurrence &&
        row.revision < revision &&
        row.runId !== undefined,
    )
    .toSorted((a, b) => b.version - a.version || b.revision - a.revision)[0]?.runId;
}

export function loadMemoryGate(
  tables: MemoryTables,
  { workspace, pipeline, keys, oldest }: GateAsk,
): GateRows {
  const rows = [...tables.firings.values()]
    .filter((row) => row.workspace === workspace && row.pipeline === pipeline && row.gate !== undefined)
    .toSorted(byGateOrder);
  const waiting = rows.filter(({ gate }) => gate === "waiting");
  const newest = keys.flatMap((name) => waiting.findLast(({ key }) => key === name) ?? []);
  const shown = new Set([...waiting.slice(0, oldest), ...newest]);
  return {
    active: rows.flatMap(({ gate, runId }) => (gate === "started" && runId !== undefined ? runId : [])),
    waiting: waiting
      .filter((row) => shown.has(row))
      .map(({ runId, version, key, occurrence, revision, at, position, value, causes }) => ({
        runId: runId!,
        version,
        key,
        occurrence,
        revision,
        at,
        position,
        value: value?.value ?? null,
        causes,
      })),
    hasMore: waiting.length > oldest,
  };
}

export function loadMemoryFiringMembers(
  tables: MemoryTables,
  { workspace, id }: RunKey,
  { from, limit }: { readonly from: number; readonly limit: number },
): Member[] {
  const rows = [...tables.firings.values()].filter(
    (row) => row.workspace === workspace && (row.runId === id || row.into?.runId === id),
  );
  const ordinal = (row: FiringRow): number => row.into?.from ?? 0;
  return rows
    .toSorted((a, b) => ordinal(a) - ordinal(b))
    .flatMap(({ members }) => members)
    .slice(from, from + limit)
    .map((member) => (member.kind === "event" ? { ...member, recordedAt: 0 } : member));
}
