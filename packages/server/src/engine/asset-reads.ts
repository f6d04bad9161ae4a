/**
 * Which partitions of the assets that a node reads an attempt of a run finds: what is recorded as its lineage when it begins.
 *
 * L1: what a run for a partition reads of an asset are the partitions that its own is made of, as the asset that its node
 *     writes declares it; where nothing says so, the partition of the same key, else the asset as a whole.
 */
import {
  compilePartitionMapping,
  partitionsOf,
  readAssetKey,
  type AssetDefinition,
  type PartitionKey,
  type TaskRun,
} from "@millrace/core";
import type { AssetReadRow } from "@millrace/store";
import type { AssetBook } from "./asset-book.ts";
import { readPartitionsMax } from "./limits.ts";
import type { RunEntry } from "./run-entry.ts";
import { runPartitionOf } from "./run-partition.ts";

export function readsOf(entry: RunEntry, taskRun: TaskRun, assets: AssetBook): AssetReadRow[] {
  const { reads, writes = [], id: node } = taskRun.node.definition;
  if (reads === undefined) return [];
  const { id: runId, lane, workspace } = entry.identity;
  const { partition } = runPartitionOf(entry);
  const written = writes.flatMap((name) => assets.find(name) ?? []);
  return reads.flatMap((asset) =>
    keysRead(asset, partition, { written, assets }).map((key) => ({
      workspace,
      runId,
      generation: taskRun.generation,
      node,
      item: taskRun.item,
      lane,
      asset,
      partition: key ?? "",
      at: taskRun.startedAt ?? 0,
    })),
  );
}

const whole: readonly PartitionKey[] = [null];

function keysRead(
  name: string,
  partition: string | undefined,
  { written, assets }: { readonly written: readonly AssetDefinition[]; readonly assets: AssetBook },
): readonly PartitionKey[] {
  const partitions = assets.find(name)?.partitions;
  if (!partitions || partition === undefined) return whole;
  for (const target of written) {
    const key = readAssetKey(target.partitions, target.partitions ? partition : null);
    if (key.fault !== undefined) continue;
    const mapped = mappedKeys(name, target, key.key, assets);
    if (mapped) return mapped;
  }
  const same = readAssetKey(partitions, partition);
  return same.fault === undefined ? [same.key] : whole;
}

/** Nothing where the two don't fit, or nobody can tell beforehand. */
function mappedKeys(
  name: string,
  target: AssetDefinition,
  key: PartitionKey,
  assets: AssetBook,
): readonly PartitionKey[] | undefined {
  const from = assets.find(name)?.partitions;
  const mapping = target.upstream?.find(({ asset }) => asset === name)?.mapping;
  try {
    const sides = [from && partitionsOf(from), target.partitions && partitionsOf(target.partitions)] as const;
    const keys = compilePartitionMapping(mapping, ...sides).from(key);
    return keys && keys.length <= readPartitionsMax ? keys : undefined;
  } catch {
    // A deploy refuses what is declared wrongly; of two assets that nothing connects no mapping is needed.
    return undefined;
  }
}
