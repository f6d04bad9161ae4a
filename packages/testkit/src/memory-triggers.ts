/** Reading triggers in memory, as `packages/store/src/engine/trigger-statements.ts` does. */
import type { FiringName } from "@millrace/core";
import type { LoadedTriggers, TriggerKeyRow } from "@millrace/store";
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
