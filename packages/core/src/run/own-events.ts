/**
 * What the log tells of runs (the design, §7): that one did not succeed, and which nodes failed. An event's id is made of
 * what it tells, so that a repeat is the same event.
 */
import { liveLane, type EventDraft } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import { nodeSucceeded, runStarted } from "../event/run-news.ts";
import type { Json } from "../json.ts";
import type { Run, TaskRun } from "./state.ts";

const nodeFailedType = "millrace.node.failed";

/** What its events tell of a run besides its state. */
export interface ToldRun {
  readonly pipeline: string;
  readonly project: string;
  readonly lane?: string;
  readonly labels: { readonly [name: string]: string };
}

export interface RunEvent extends EventDraft {
  /** It can't be told twice. */
  readonly isOnce: boolean;
}

/**
 * A run has ended, or is quarantined: `millrace.run.failed`, `.cancelled`, `.quarantined`; and where a condition asks for it
 * (`event/run-news.ts`), `.succeeded`. Whoever reruns a quarantined run ends it; that is not told as its end.
 */
export function runEnded(run: Run, told: ToldRun): RunEvent {
  const { state, reason } = run;
  const more = { state, ...(reason === undefined ? {} : { reason: reason as unknown as Json }) };
  const { pipeline: subject } = told;
  return runEvent(run, told, { type: `millrace.run.${state}`, name: state, subject, more, isOnce: true });
}

/** A generation of a run has left the queue. */
export function runStartedEvent(run: Run, told: ToldRun): RunEvent {
  const { pipeline: subject } = told;
  return runEvent(run, told, {
    type: runStarted,
    name: "started",
    subject,
    more: { state: "running" },
    isOnce: true,
  });
}

export function nodeSucceededEvent(run: Run, told: ToldRun, taskRun: TaskRun): RunEvent {
  const { item, attempt } = taskRun;
  const node = taskRun.node.definition.id;
  return runEvent(run, told, {
    type: nodeSucceeded,
    name: `${node}/${item}/succeeded`,
    isOnce: false,
    subject: `${told.pipeline}/${node}`,
    more: { node, item, attempt },
  });
}

export function nodeFailed(run: Run, told: ToldRun, taskRun: TaskRun): RunEvent {
  const { item, attempt, error, reason } = taskRun;
  const node = taskRun.node.definition.id;
  return runEvent(run, told, {
    type: nodeFailedType,
    name: `${node}/${item}/failed`,
    isOnce: false,
    subject: `${told.pipeline}/${node}`,
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
  readonly isOnce: boolean;
}

function runEvent(
  { id, generation }: Run,
  { pipeline, project, lane, labels }: ToldRun,
  { type, name, subject, more, isOnce }: Telling,
): RunEvent {
  const hasLabels = Object.keys(labels).length > 0;
  return {
    lane: lane ?? liveLane,
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
    isOnce,
  };
}

const noExtensions = {};

/** The log's columns hold so much; a node's name is shorter than this by far. */
const idMax = 256;
const subjectMax = 512;
