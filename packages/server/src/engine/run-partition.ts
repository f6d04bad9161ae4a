/** The partition that a run is for, and whether it makes it again. */
import { firedPartition, type FiredPartition, type Run } from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { LiveRun } from "@millrace/store";

interface Entry {
  readonly identity: Pick<LiveRun, "labels">;
  readonly run: Pick<Run, "firing">;
}

/** Its label names it; its firing, whose value is at hand while the run is in memory, tells the revision. */
export function runPartitionOf({ identity, run }: Entry): FiredPartition {
  const partition = identity.labels[partitionLabel];
  return partition === undefined ? {} : { ...firedPartition(run.firing?.value), partition };
}
