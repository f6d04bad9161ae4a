/** States of nodes in a grid. */
import type { TaskRunState } from "./api/run.ts";

/**
 * States of nodes in a grid, the least telling first: of a node with many items the most telling of their states is shown.
 * Their places are the digits of `GridRun.states`, so none is ever moved.
 */
export const gridStates = [
  "skipped",
  "succeeded",
  "pending",
  "cancelled",
  "upstream_failed",
  "queued",
  "waiting",
  "retrying",
  "running",
  "failed",
] as const satisfies readonly TaskRunState[];
