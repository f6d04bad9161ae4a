/** Reading waits and steps in memory, as `packages/store/src/engine/wait-statements.ts` does. */
import type {
  FoundWaits,
  KeyRange,
  LoadedWaits,
  RunKey,
  StepKey,
  StepRow,
  TaskRunRow,
  WaitPlace,
  WaitRow,
} from "@millrace/store";
import { keyOf, type MemoryTables } from "./memory-tables.ts";

export function loadMemoryWaits(
  tables: MemoryTables,
  workspace: number,
  shards: readonly number[],
): LoadedWaits {
  return {
    shapes: [...tables.waitShapes.values()]
      .filter((shape) => shape.workspace === workspace)
      .map((shape) => ({ ...shape, isOld: false })),
    cursors: tables.shards
      .filter(({ shard }) => shards.includes(shard))
      .map(({ shard, waitPosition }) => ({ shard, position: waitPosition })),
  };
}

export function unusedMemoryRanges(tables: MemoryTables, ranges: readonly KeyRange[]): number[] {
  const keys = [...tables.waits.values()].flatMap(({ matchKeys }) => matchKeys.map(BigInt));
  return ranges.flatMap(({ first, last }, at) => {
    const [low, high] = [BigInt(first), BigInt(last)];
    return keys.some((key) => key >= low && key <= high) ? [] : [at];
  });
}

export function findMemoryWaits(
  tables: MemoryTables,
  { shards, keys }: { readonly shards: readonly number[]; readonly keys: readonly string[] },
  after: WaitPlace | undefined,
  limit: number,
): FoundWaits {
  const wanted = new Set(keys);
  const found = [...tables.waits.values()]
    .filter(({ shard }) => shards.includes(shard))
    .flatMap((wait) => wait.matchKeys.filter((key) => wanted.has(key)).map((key) => ({ key, wait })))
    .toSorted((a, b) => comparePlaces({ key: a.key, id: a.wait.id }, { key: b.key, id: b.wait.id }))
    .filter(({ key, wait }) => !after || comparePlaces({ key, id: wait.id }, after) > 0)
    .slice(0, limit);
  const last = found.at(-1);
  return {
    waits: found.map(({ wait }) => wait),
    next: last && found.length === limit ? { key: last.key, id: last.wait.id } : undefined,
  };
}

function comparePlaces(a: WaitPlace, b: WaitPlace): number {
  const [left, right] = [BigInt(a.key), BigInt(b.key)];
  return left === right ? a.id - b.id : left < right ? -1 : 1;
}

export function dueMemoryWaits(tables: MemoryTables, shards: readonly number[]): WaitRow[] {
  return [...tables.waits.values()]
    .filter(({ shard, dueAt }) => dueAt !== undefined && shards.includes(shard))
    .toSorted((a, b) => a.dueAt! - b.dueAt!);
}

export function endedMemoryWaits(
  tables: MemoryTables,
  shards: readonly number[],
): (RunKey & { readonly shard: number })[] {
  const runs = new Map<string, RunKey & { readonly shard: number }>();
  for (const { workspace, runId: id, shard, end } of tables.waits.values())
    if (end && shards.includes(shard)) runs.set(keyOf(workspace, id), { workspace, id, shard });
  return [...runs.values()];
}

export function loadMemorySteps(tables: MemoryTables, key: StepKey): StepRow[] {
  return [...tables.steps.values()]
    .filter(
      (row) =>
        row.workspace === key.workspace &&
        row.runId === key.runId &&
        row.node === key.node &&
        row.item === key.item &&
        row.generation === key.generation &&
        (row.kind === "wait" || row.attempt === key.attempt || row.outcome.kind !== "error"),
    )
    .toSorted((a, b) => a.dispatch - b.dispatch || compare(a.kind, b.kind) || a.seq - b.seq)
    .map((row, index) => ({ ...row, seq: index + 1 }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function lastSeq({ steps }: MemoryTables, { workspace, runId, node, item, generation }: TaskRunRow): number {
  const seqs = [...steps.values()]
    .filter(
      (row) =>
        row.workspace === workspace &&
        row.runId === runId &&
        row.node === node &&
        row.item === item &&
        row.generation === generation,
    )
    .map(({ seq }) => seq);
  return Math.max(0, ...seqs);
}

/** A task run's row with what its function has recorded and waits for. */
export function withMemoryCode(tables: MemoryTables, row: TaskRunRow): TaskRunRow {
  const known = tables.codes.get(keyOf(row.workspace, row.runId, row.node, row.item));
  const isOpen = ["queued", "running", "waiting", "retrying"].includes(row.state);
  const seq = isOpen && row.dispatch > 0 ? lastSeq(tables, row) : 0;
  if (!known && seq === 0) return row;
  const code = known?.code ?? { wokenAt: 0, ranMs: 0, open: [], seen: {} };
  return { ...row, code: { ...code, seq } };
}
