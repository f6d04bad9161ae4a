/** Reading runs in memory, as `packages/store/src/engine/load-statements.ts` does. */
import type { LiveRun, LoadedRun, LoadedShards, RunPosition, TaskRunRow, WaitRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "./memory-tables.ts";
import { withMemoryCode } from "./memory-waits.ts";

/** Takes back what earlier owners of `owned` shards offered, and what runs hold that are gone. */
export function loadMemoryShards(
  tables: MemoryTables,
  shards: ReadonlySet<number>,
  owned: readonly number[],
): LoadedShards {
  const own = new Set(owned.filter((shard) => shards.has(shard)));
  const { runs, limits, grants, requests, offers } = tables;
  for (const [name, offer] of offers) if (own.has(offer.shard)) offers.delete(name);
  for (const [name, grant] of grants)
    if (own.has(grant.shard) && !runs.has(keyOf(grant.workspace, grant.runId))) grants.delete(name);
  const live = [...runs.values()]
    .filter((run) => shards.has(run.shard) && run.wakeAt === undefined)
    .filter((run) => run.state === "running" || run.state === "waiting")
    .sort(byId);
  return {
    runs: live,
    taskRuns: live.flatMap((run) => taskRunsOf(tables, run)),
    waits: live.flatMap((run) => waitsOf(tables, run)),
    limits: [...limits.values()].filter((row) => shards.has(row.shard)),
    grants: [...grants.values()].filter((row) => shards.has(row.shard)),
    requests: [...requests.values()].filter((row) => shards.has(row.shard)).sort((a, b) => a.rank - b.rank),
  };
}

export function loadMemoryRuns(tables: MemoryTables, workspace: number, ids: readonly string[]): LoadedRun[] {
  return ids.flatMap((id) => {
    const run = tables.runs.get(keyOf(workspace, id));
    return run ? [{ run, taskRuns: taskRunsOf(tables, run), waits: waitsOf(tables, run) }] : [];
  });
}

export function loadMemoryRunPositions(
  { runs, runPositions }: MemoryTables,
  workspace: number,
  ids: readonly string[],
): RunPosition[] {
  const names = ids.map((id) => ({ id, name: keyOf(workspace, id) })).filter(({ name }) => runs.has(name));
  return names.map(({ id, name }) => ({ id, position: runPositions.get(name) }));
}

function waitsOf({ waits }: MemoryTables, { workspace, id }: LiveRun): WaitRow[] {
  return [...waits.values()].filter((wait) => wait.workspace === workspace && wait.runId === id);
}

function taskRunsOf(tables: MemoryTables, { workspace, id }: LiveRun): TaskRunRow[] {
  const rows = [...(tables.taskRuns.get(keyOf(workspace, id))?.values() ?? [])];
  return rows.map((row) => withMemoryCode(tables, row));
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
