/** What the log tells of runs, as rows: each is committed in the flush of what it tells. */
import {
  nodeFailed as nodeFailedEvent,
  nodeSucceededEvent,
  runEnded as runEndedEvent,
  runStartedEvent,
  type RunEvent,
  type TaskRun,
} from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { RunEntry } from "./run-entry.ts";

/** As `runEnded` of core, of whatever end: also with success. */
export function runEnded({ run, identity }: RunEntry): EventRow {
  return rowOf(identity, runEndedEvent(run, identity));
}

export function nodeFailed({ run, identity }: RunEntry, taskRun: TaskRun): EventRow {
  return rowOf(identity, nodeFailedEvent(run, identity, taskRun));
}

/** A generation of a run has left the queue. */
export function runStarted({ run, identity }: RunEntry): EventRow {
  return rowOf(identity, runStartedEvent(run, identity));
}

export function nodeSucceeded({ run, identity }: RunEntry, taskRun: TaskRun): EventRow {
  return rowOf(identity, nodeSucceededEvent(run, identity, taskRun));
}

function rowOf({ workspace, id }: RunEntry["identity"], { isOnce, ...event }: RunEvent): EventRow {
  return { ...event, workspace, dataText: undefined, runId: id, ...(isOnce ? { once: true } : {}) };
}
