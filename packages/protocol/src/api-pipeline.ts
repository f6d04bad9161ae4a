/** Shapes of what is asked about one pipeline in `/api/v1`; `api.ts` lists the routes. */
import type { RunState, TaskRunState } from "./api.ts";

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

export interface GridRun {
  readonly id: string;
  readonly state: RunState;
  readonly generation: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly partition?: string;
  /** For each of the page's `nodes` one digit, the state's place in `gridStates`, or `.` where the run has nothing of it. */
  readonly states?: string;
  /** It has more task runs than are looked at: what is said of its last nodes may be too little. */
  readonly isCut?: true;
}

/** A pipeline's runs, newest first, by the nodes that they have. */
export interface GridPage {
  readonly runs: readonly GridRun[];
  /** In the order of the deployed definition; those that it does not have any more come last. */
  readonly nodes: readonly string[];
  readonly nextCursor?: string;
}

/** What a deployment says of one pipeline. */
export interface PipelineVersionView {
  readonly deployment: number;
  readonly project: string;
  readonly bundle: string;
  readonly createdAt: string;
  readonly active: boolean;
  readonly nodes: number;
  /** Whether its definition differs from that of the deployment before; true of the first one. */
  readonly changed: boolean;
}
