/** Assets in memory: what `sql/000008_asset.sql` makes of a flush's events (A1–A3), and of what its attempts read. */
import { assetFactOf, unreachable, type AssetFact } from "@millrace/core";
import type { AssetReadRow, FlushBatch, LogChange } from "@millrace/store";
import type { StoredAssets } from "./engine-store-conformance.ts";
import {
  keyOf,
  type MemoryAssetPartition,
  type MemoryAssetState,
  type MemoryAssetUse,
  type MemoryTables,
} from "./memory-tables.ts";

interface Placed {
  readonly workspace: number;
  readonly position: number;
  readonly at: number;
}

/** Those events that are new, in the order of their positions. */
export function foldAssets(tables: MemoryTables, batch: FlushBatch, change: LogChange): void {
  const others = new Set(change.others.map(({ at }) => at));
  let position = change.first;
  for (const [at, row] of batch.events.entries()) {
    if (others.has(at)) continue;
    const fact = assetFactOf(row);
    if (fact) fold(tables, fact, { workspace: row.workspace, position, at: change.clock });
    position += 1;
  }
}

function fold(tables: MemoryTables, fact: AssetFact, place: Placed): void {
  const { workspace, position, at } = place;
  const { asset, lane, partition, run } = fact;
  const name = keyOf(workspace, asset, lane);
  const state: MemoryAssetState = tables.assetStates.get(name) ?? {
    workspace,
    asset,
    lane,
    updates: 0,
    update: undefined,
    progress: undefined,
    rejected: 0,
    rejection: undefined,
  };
  tables.assetStates.set(name, state);
  if (fact.invalid !== undefined) {
    state.rejected += 1;
    state.rejection = { position, at, partition, reason: fact.invalid, runId: run?.id };
    return;
  }
  switch (fact.kind) {
    case "updated":
      state.updates += 1;
      state.update = { position, at, runId: run?.id };
      return update(tables, fact, place);
    case "progress":
      if (state.progress === undefined || fact.until! > state.progress.until)
        state.progress = { until: fact.until!, position, at };
      return;
    case "partition": {
      const key = partitionKey(workspace, fact);
      if (tables.assetPartitions.has(key)) return;
      tables.assetPartitions.set(key, {
        workspace,
        asset,
        lane,
        partition,
        updates: 0,
        position,
        update: undefined,
      });
      return;
    }
    default:
      return unreachable(fact.kind);
  }
}

function update(tables: MemoryTables, fact: AssetFact, { workspace, position, at }: Placed): void {
  const { asset, lane, partition, run, version } = fact;
  const key = partitionKey(workspace, fact);
  const updates = (tables.assetPartitions.get(key)?.updates ?? 0) + 1;
  const row: MemoryAssetPartition = {
    workspace,
    asset,
    lane,
    partition,
    updates,
    position,
    update: { at, fact },
  };
  tables.assetPartitions.set(key, row);
  if (!run) return;
  const { id: runId, generation, node, item } = run;
  const use: MemoryAssetUse = {
    workspace,
    runId,
    generation,
    node,
    item,
    direction: "write",
    asset,
    partition,
    position,
    version,
    at,
  };
  tables.assetUses.set(useKey(use), use);
}

/** What stands in the asset now. */
export function readUse(tables: MemoryTables, row: AssetReadRow): MemoryAssetUse {
  const { lane: _lane, ...rest } = row;
  const found = tables.assetPartitions.get(partitionKey(row.workspace, row));
  return {
    ...rest,
    direction: "read",
    position: found?.update ? found.position : undefined,
    version: found?.update?.fact.version,
  };
}

export function useKey(use: MemoryAssetUse): string {
  const { workspace, runId, generation, node, item, direction, asset, partition } = use;
  return keyOf(workspace, runId, generation, node, item, direction, asset, partition);
}

/** The rows as the conformance suite compares them. */
export function storedAssets(tables: MemoryTables): StoredAssets {
  const inOrder = <Row>(rows: ReadonlyMap<string, Row>): Row[] =>
    [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  return {
    states: inOrder(tables.assetStates).map(
      ({ asset, lane, updates, update, progress, rejected, rejection }) => ({
        asset,
        lane,
        updates,
        update: update ? { ...update, runId: update.runId ?? null } : null,
        progress: progress ?? null,
        rejected,
        rejection: rejection ? { ...rejection, runId: rejection.runId ?? null } : null,
      }),
    ),
    partitions: inOrder(tables.assetPartitions).map(
      ({ asset, lane, partition, updates, position, update: last }) => ({
        asset,
        lane,
        partition,
        updates,
        position,
        at: last?.at ?? null,
        isObserved: last?.fact.isObserved ?? false,
        version: last?.fact.version ?? null,
        metadata: last?.fact.metadata ?? null,
        revision: last?.fact.revision ?? null,
        runId: last?.fact.run?.id ?? null,
      }),
    ),
    uses: inOrder(tables.assetUses).map((use) => ({
      name: useKey(use).split("\n").slice(1).join(" "),
      position: use.position ?? null,
      version: use.version ?? null,
      at: use.at,
    })),
  };
}

function partitionKey(
  workspace: number,
  { asset, lane, partition }: Pick<AssetFact, "asset" | "lane" | "partition">,
): string {
  return keyOf(workspace, asset, lane, partition);
}
