/** Runs as the API's queries read them, from the engine's tables in memory: what `queries/runs.ts` does in SQL. */
import { isEndState, type Reason } from "@millrace/core";
import type { EndedRun, FoundRunRows, LiveRun, StoredOutput, TaskRunName, TaskRunRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "./memory-tables.ts";

const workspace = 1;

export interface MemoryArchive {
  findRun(id: string): Promise<LiveRun | undefined>;
  findRunRows(id: string): Promise<FoundRunRows>;
  findOutputs(id: string, names: readonly TaskRunName[]): Promise<StoredOutput[]>;
  endQuarantined(id: string, end: { readonly now: number; readonly openReason: Reason }): Promise<boolean>;
}

export function memoryArchive(tables: MemoryTables): MemoryArchive {
  return {
    findRun: async (id) => structuredClone(tables.runs.get(keyOf(workspace, id)) ?? endedRuns(tables, id)[0]),
    findRunRows: async (id) => {
      const live = tables.runs.get(keyOf(workspace, id));
      const liveTaskRuns = [...(tables.taskRuns.get(keyOf(workspace, id))?.values() ?? [])];
      const endedTaskRuns = [...tables.taskRunHistory.values()]
        .filter((row) => row.runId === id)
        .map((row) => ({ ...row, output: withoutValue(row), losses: 0, revoked: false, carried: false }))
        .sort(byGeneration);
      return structuredClone({ live, ended: endedRuns(tables, id), liveTaskRuns, endedTaskRuns });
    },
    findOutputs: async (id, names) =>
      structuredClone(
        names.flatMap(({ node, item, generation }) => {
          const row = [...tables.taskRunHistory.values()].find(
            (some) =>
              some.runId === id &&
              some.node === node &&
              some.item === item &&
              some.generation === generation &&
              some.state === "succeeded",
          );
          return row?.output ? [{ name: { node, item, generation }, output: row.output }] : [];
        }),
      ),
    endQuarantined: async (id, end) => endQuarantined(tables, id, end),
  };
}

function endedRuns(tables: MemoryTables, id: string): EndedRun[] {
  return [...tables.runHistory.values()]
    .filter((run) => run.id === id)
    .map((run) => ({ ...run, cancel: undefined, wakeAt: undefined }))
    .sort((a, b) => b.generation - a.generation);
}

/** Rows carry the hash of a large output; any other is asked for. */
function withoutValue({ state, output }: TaskRunRow): TaskRunRow["output"] {
  if (state !== "succeeded") return undefined;
  return output?.blob === undefined ? { value: null } : { blob: output.blob, bytes: output.bytes };
}

function byGeneration(a: TaskRunRow, b: TaskRunRow): number {
  return b.generation - a.generation;
}

function endQuarantined(
  tables: MemoryTables,
  id: string,
  { now, openReason }: { readonly now: number; readonly openReason: Reason },
): boolean {
  const name = keyOf(workspace, id);
  const run = tables.runs.get(name);
  if (run?.state !== "quarantined") return false;
  for (const [key, wait] of tables.waits) if (wait.runId === id) tables.waits.delete(key);
  for (const [key, code] of tables.codes) if (code.runId === id) tables.codes.delete(key);
  const { cancel: _cancel, wakeAt: _wakeAt, ...kept } = run;
  const ended = { ...kept, state: "failed" as const, output: undefined, endedAt: now };
  tables.runs.delete(name);
  tables.runHistory.set(keyOf(workspace, id, run.generation, now), ended);
  for (const row of tables.taskRuns.get(name)?.values() ?? []) {
    if (row.carried) continue;
    const isOpen = !isEndState(row.state);
    const key = keyOf(workspace, id, row.generation, row.node, row.item, now);
    const closed = { ...row, state: "cancelled" as const, endedAt: now, reason: openReason };
    tables.taskRunHistory.set(key, isOpen ? closed : row);
  }
  tables.taskRuns.delete(name);
  return true;
}
