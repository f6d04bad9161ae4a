/** For which partition a run is: in a testbed as on a server a label says so. */
import { findPartition, type MatchPartition } from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { BedPipeline } from "./definitions.ts";

type Labels = { readonly [name: string]: string };

/** A called run is for its caller's partition where it has one like it. */
export function labelsOfChild(
  { definition }: BedPipeline,
  { [partitionLabel]: partition, ...labels }: Labels,
): Labels {
  if (partition === undefined) return labels;
  const own = findPartition(definition.trigger?.condition, partition);
  return own ? { ...labels, [partitionLabel]: own.key } : labels;
}

export function partitionOf(
  { definition }: BedPipeline,
  key: string | undefined,
): MatchPartition | undefined {
  return key === undefined ? undefined : (findPartition(definition.trigger?.condition, key) ?? { key });
}
