/** What the log tells of runs, as rows: each is committed in the flush of what it tells. */
import {
  nodeFailed as nodeFailedEvent,
  runBroken as runBrokenEvent,
  type RunEvent,
  type TaskRun,
} from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { RunEntry } from "./run-entry.ts";

export function runBroken({ run, identity }: RunEntry): EventRow {
  return rowOf(identity, runBrokenEvent(run, identity));
}

export function nodeFailed({ run, identity }: RunEntry, taskRun: TaskRun): EventRow {
  return rowOf(identity, nodeFailedEvent(run, identity, taskRun));
}

function rowOf({ workspace, id }: RunEntry["identity"], { isOnce, ...event }: RunEvent): EventRow {
  return { ...event, workspace, dataText: undefined, runId: id, ...(isOnce ? { once: true } : {}) };
}
