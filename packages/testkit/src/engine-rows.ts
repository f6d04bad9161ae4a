/** Rows of the engine's store with all that a test does not care about. */
import type { AttemptRow, LiveRun, TaskRunRow } from "@millrace/store";

/** A whole millisecond, as all stores keep it. */
export const rowTime = 1_800_000_000_000;

export function liveRun(id: string, parts: Partial<LiveRun> = {}): LiveRun {
  return {
    workspace: 1,
    id,
    lane: "live",
    shard: 1,
    pipeline: "p",
    project: "main",
    bundle: "b1",
    generation: 1,
    state: "running",
    reason: undefined,
    depth: 0,
    parent: undefined,
    labels: {},
    params: { value: {} },
    cancel: undefined,
    createdAt: rowTime,
    startedAt: parts.state === "queued" ? undefined : rowTime + 1,
    ...parts,
  };
}

export function taskRunRow(runId: string, node: string, parts: Partial<TaskRunRow> = {}): TaskRunRow {
  return {
    workspace: 1,
    runId,
    node,
    item: "",
    generation: 1,
    state: "running",
    attempt: 1,
    dispatch: 1,
    losses: 0,
    worker: "w1",
    startedAt: rowTime + 2,
    endedAt: undefined,
    resumeAt: undefined,
    output: undefined,
    reason: undefined,
    error: undefined,
    childRunId: undefined,
    revoked: false,
    carried: false,
    ...parts,
  };
}

export function attemptRow(runId: string, node: string, parts: Partial<AttemptRow> = {}): AttemptRow {
  return {
    workspace: 1,
    runId,
    node,
    item: "",
    generation: 1,
    attempt: 1,
    dispatch: 1,
    state: "failed",
    worker: "w1",
    error: { name: "Error", message: "it broke" },
    startedAt: rowTime + 2,
    endedAt: rowTime + 3,
    ...parts,
  };
}
