/** The partition that a run is for, as its firing says (`firingValue` in core). */
import type { Json, Run } from "@millrace/core";

export interface RunPartition {
  readonly partition?: string;
  /** Above 1: it makes the partition again, for late data. */
  readonly revision?: number;
}

/** A run's firing is at hand with its value while the run is in memory. */
export function runPartitionOf({ firing }: Pick<Run, "firing">): RunPartition {
  const { partition = null, revision = null } = membersOf(firing?.value);
  const { key = null } = membersOf(partition ?? undefined);
  if (typeof key !== "string") return {};
  return { partition: key, ...(typeof revision === "number" && revision > 1 ? { revision } : {}) };
}

export function partitionMember(run: Pick<Run, "firing">): { readonly partition?: string } {
  const { partition } = runPartitionOf(run);
  return partition === undefined ? {} : { partition };
}

function membersOf(value: Json | undefined): { readonly [name: string]: Json } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [name: string]: Json }) : {};
}
