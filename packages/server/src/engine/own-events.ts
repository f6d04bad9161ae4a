/**
 * What the log tells of runs (the design, §7): that one did not succeed, and which nodes failed. Each is committed in the
 * flush of what it tells; its id is made of what it tells, so that a repeat is the same event.
 */
import { ownSource, type Json, type TaskRun } from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { RunEntry } from "./run-entry.ts";

const nodeFailedType = "millrace.node.failed";

/**
 * A run has ended otherwise than with success, or is quarantined: `millrace.run.failed`, `.cancelled`, `.quarantined`.
 * Whoever reruns a quarantined run ends it; that is not told as its end.
 */
export function runBroken(entry: RunEntry): EventRow {
  const { state, reason } = entry.run;
  const more = { state, ...(reason === undefined ? {} : { reason: reason as unknown as Json }) };
  const { pipeline: subject } = entry.identity;
  return runEvent(entry, { type: `millrace.run.${state}`, name: state, subject, more, isOnce: true });
}

export function nodeFailed(entry: RunEntry, taskRun: TaskRun): EventRow {
  const { item, attempt, error, reason } = taskRun;
  const node = taskRun.node.definition.id;
  return runEvent(entry, {
    type: nodeFailedType,
    name: `${node}/${item}/failed`,
    isOnce: false,
    subject: `${entry.identity.pipeline}/${node}`,
    more: {
      node,
      item,
      attempt,
      reason: { code: reason?.code ?? "task_failed", message: (reason?.message ?? "").slice(0, messageMax) },
      ...(error === undefined
        ? {}
        : { error: { name: error.name, message: error.message.slice(0, messageMax) } }),
    },
  });
}

/** Characters of an error that an event tells: the whole of it stands with the run. */
const messageMax = 1_000;

interface Telling {
  readonly type: string;
  readonly name: string;
  readonly subject: string;
  readonly more: { readonly [name: string]: Json };
  /** It can't be told twice. */
  readonly isOnce: boolean;
}

function runEvent({ identity, run }: RunEntry, { type, name, subject, more, isOnce }: Telling): EventRow {
  const { id, pipeline, project, lane, labels } = identity;
  const { generation } = run;
  const hasLabels = Object.keys(labels).length > 0;
  return {
    workspace: identity.workspace,
    lane,
    source: ownSource,
    id: `run/${id}/g${generation}/${name}`.slice(0, idMax),
    type,
    subject: subject.slice(0, subjectMax),
    time: undefined,
    data: { value: { run: id, pipeline, project, generation, ...(hasLabels ? { labels } : {}), ...more } },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: noExtensions,
    invalid: undefined,
    dataText: undefined,
    runId: id,
    ...(isOnce ? { once: true } : {}),
  };
}

const noExtensions = {};

/** The log's columns hold so much; a node's name is shorter than this by far. */
const idMax = 256;
const subjectMax = 512;
