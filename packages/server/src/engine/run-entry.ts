import type { LiveRun, RunEnd, TaskRunRow, WaitRow } from "@millrace/store";
import type { Run, TaskRun } from "@millrace/core";
import type { ReadyTask } from "./dispatcher.ts";

/** `none`: the next flush makes it. Only one that is `started` holds `started_at`, which history takes from there. */
export type StoredRow = "none" | "queued" | "started";

/** `isStored`: the row says so; else the next flush does. */
export interface Eviction {
  readonly wakeAt: number;
  readonly isStored: boolean;
}

/** A run that this node holds in memory. */
export interface RunEntry {
  /** What never changes, and the row's first form. */
  readonly identity: LiveRun;
  readonly run: Run;
  /** What its row says, as of the last flush that was made. */
  row: StoredRow;
  /** How many of its task runs have rows; unknown of a run that was loaded. */
  storedRows: number | undefined;
  /** Its row says, or will say with the next flush, that it waits outside of memory. What changes it takes that back. */
  eviction: Eviction | undefined;
  /** Rows of its waits, while it is being put under way after it was loaded. */
  waits: readonly WaitRow[] | undefined;
  /** Its task runs between ready and dispatched. */
  readonly ready: Map<TaskRun, ReadyTask>;
}

/** The run's row as of now. */
export function liveRowOf(entry: RunEntry): LiveRun {
  const { identity, run } = entry;
  const { state, reason, cancel, startedAt } = run;
  return { ...identity, state, reason, cancel, startedAt, wakeAt: entry.eviction?.wakeAt };
}

export function endRowOf(entry: RunEntry, hasMoreRows: boolean): RunEnd {
  const { identity, run } = entry;
  return {
    workspace: identity.workspace,
    id: identity.id,
    state: run.state,
    reason: run.reason,
    output: run.output,
    endedAt: run.endedAt ?? 0,
    hasMoreRows,
  };
}

export function taskRunRowOf({ identity }: Pick<RunEntry, "identity">, taskRun: TaskRun): TaskRunRow {
  return {
    workspace: identity.workspace,
    runId: identity.id,
    node: taskRun.node.definition.id,
    item: taskRun.item,
    generation: taskRun.generation,
    state: taskRun.state,
    attempt: taskRun.attempt,
    dispatch: taskRun.dispatch,
    losses: taskRun.losses,
    worker: taskRun.worker,
    startedAt: taskRun.startedAt,
    endedAt: taskRun.endedAt,
    resumeAt: taskRun.resumeAt,
    output: taskRun.state === "succeeded" ? taskRun.output : undefined,
    reason: taskRun.reason,
    error: taskRun.error,
    childRunId: taskRun.childRunId,
    revoked: taskRun.revoked,
    carried: taskRun.carried,
  };
}
