/** What the log tells of runs, as rows: each is committed in the flush of what it tells. */
import {
  nodeFailed as nodeFailedEvent,
  runBroken as runBrokenEvent,
  type Reason,
  type RunEvent,
  type TaskRun,
} from "@millrace/core";
import type { EventRow, LiveRun } from "@millrace/store";
import { causesOf } from "./run-causes.ts";
import type { RunEntry } from "./run-entry.ts";

/** Also a success, where its trigger's gate waits for it. */
export function runEnded({ run, identity }: RunEntry): EventRow {
  return rowOf(identity, runBrokenEvent(run, identity));
}

/** A run that never began, as a later firing took its place. */
export function runSuperseded(identity: LiveRun, reason: Reason): EventRow {
  const { id, generation } = identity;
  return rowOf(identity, runBrokenEvent({ id, generation, state: "superseded", reason }, identity));
}

export function nodeFailed({ run, identity }: RunEntry, taskRun: TaskRun): EventRow {
  return rowOf(identity, nodeFailedEvent(run, identity, taskRun));
}

function rowOf(identity: LiveRun, { isOnce, ...event }: RunEvent): EventRow {
  const { workspace, id } = identity;
  return {
    ...event,
    extensions: causesOf(identity),
    workspace,
    dataText: undefined,
    runId: id,
    ...(isOnce ? { once: true } : {}),
  };
}
