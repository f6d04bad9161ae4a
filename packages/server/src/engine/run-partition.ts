/** The partition that a run is for, and whether it makes it again. */
import { findPartition, type Json, type Run } from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { LiveRun } from "@millrace/store";
import type { ActivePipeline } from "./definitions.ts";

export interface RunPartition {
  readonly partition?: string;
  /** Above 1: it makes the partition again, for late data. */
  readonly revision?: number;
}

interface Entry {
  readonly identity: Pick<LiveRun, "labels">;
  readonly run: Pick<Run, "firing">;
}

/** Its label names it; its firing, whose value is at hand while the run is in memory, tells the revision. */
export function runPartitionOf({ identity, run }: Entry): RunPartition {
  const partition = identity.labels[partitionLabel];
  if (partition === undefined) return {};
  const { revision = null } = membersOf(run.firing?.value);
  return { partition, ...(typeof revision === "number" && revision > 1 ? { revision } : {}) };
}

/** A called run is for its caller's partition where it has one like it. */
export function labelsOfChild(
  { definition }: ActivePipeline,
  { [partitionLabel]: partition, ...labels }: LiveRun["labels"],
): LiveRun["labels"] {
  if (partition === undefined) return labels;
  const own = findPartition(definition.trigger?.condition, partition);
  return own ? { ...labels, [partitionLabel]: own.key } : labels;
}

function membersOf(value: Json | undefined): { readonly [name: string]: Json } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [name: string]: Json }) : {};
}
