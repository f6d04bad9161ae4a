/**
 * The worker protocol, version 1: JSON text frames over one WebSocket at `/api/v1/worker`, opened by the worker with
 * `Authorization: Bearer TOKEN`. Unknown fields and unknown kinds are ignored by both sides. Bundles and large values
 * go by HTTP with the same token (`/api/v1/bundles/:hash`, `/api/v1/blobs/:hash`).
 *
 * W1: a worker runs a dispatch at most once; it answers a repeated dispatch with what it has.
 * W2: a worker keeps a result until the server acknowledged it, and sends it again after a reconnect.
 * W3: the server acknowledges a result after its commit, or when its token is out of date.
 * W4: a worker that was away longer than its lease kills what it ran: those dispatches were given to others.
 * W5: a worker names all that it holds in its hello and in its heartbeats: what is not there, it does not run.
 * W6: a step is over for its task when the server has said that it is recorded. Until then, or until its attempt's result is
 *     acknowledged, the worker keeps it and sends it again after a reconnect; the server takes a repeat for the same step, and
 *     the first one counts.
 * W7: an attempt's steps are sent in the order in which they ended, and all before its result.
 */
import type { AttemptError, CloudEvent, Json, JsonSchema } from "@millrace/core";
import type { DispatchToken } from "./ids.ts";

export const protocolVersion = 1;

/** A value in a message: itself, or the hash (sha256, hex) of its JSON text in the blob store. */
export type CarriedValue = { readonly value: Json } | { readonly blob: string; readonly bytes: number };

/** Values whose JSON text is longer than this many bytes travel and rest as blobs. */
export const inlineBytesMax = 16_384;
/** The longest JSON text of one output, in bytes. */
export const outputBytesMax = 64 * 1024 * 1024;

/** The longest JSON text of the value that one step records, in bytes: it is read again at each resume. */
export const stepBytesMax = 4 * 1024 * 1024;
/** Steps and waits that one task run records in one generation: all of them travel with each dispatch. */
export const recordsMax = 1_000;
/**
 * What the values of an attempt's steps take inline in all, in bytes: those that don't fit rest as blobs when they are longer
 * than `smallBytesMax`. So a dispatch with all its records stays a small part of a frame.
 */
export const inlineRecordsBytesMax = 256 * 1024;
export const smallBytesMax = 256;
/** The longest name of a step or wait, in characters, its key included. */
export const stepNameMax = 200;

/** A dispatch that was sent ahead waits at most this long for its turn. */
export const aheadMsMax = 1_000;

export interface Hello {
  readonly kind: "hello";
  readonly protocol: number;
  /** Chosen by the worker at its start, kept over reconnects. */
  readonly workerId: string;
  readonly name: string;
  readonly version: string;
  readonly queues: readonly string[];
  readonly slots: number;
  /** How many dispatches beyond its slots it takes ahead, marked `ahead`; absent: none. */
  readonly prefetch?: number;
  readonly labels: { readonly [name: string]: string };
  readonly platform: string;
  /** It said `draining` before, over an earlier connection; absent: it takes what it is given. */
  readonly draining?: boolean;
  /** After a reconnect: what still runs here, and what has ended here without an acknowledgement (its result follows). */
  readonly running: readonly DispatchToken[];
}

export type AttemptOutcome =
  | {
      readonly kind: "succeeded";
      readonly output: CarriedValue;
      /** What the task emitted, to be committed with its success. */
      readonly events?: readonly CloudEvent[];
    }
  | { readonly kind: "failed"; readonly error: AttemptError }
  | { readonly kind: "skipped"; readonly reason: string }
  /** Nothing but waits is left: its process is gone, and it is dispatched again when one of them has ended. */
  | { readonly kind: "suspended"; readonly waits: readonly WaitRequest[] }
  /** The signal of a cancel was followed. */
  | { readonly kind: "cancelled" }
  /** It was sent ahead, and its turn did not come within `aheadMsMax`: not begun, free for another worker. */
  | { readonly kind: "returned" }
  /** Not the task's fault (bundle could not be fetched, the child could not start): repeated without counting. */
  | { readonly kind: "infrastructure"; readonly error: AttemptError };

/** The identity of a step or wait within its task run and generation. */
export interface StepName {
  readonly name: string;
  /** Which of this name, from 1, in the order in which the task asks. */
  readonly occurrence: number;
}

/** What an attempt waits for. The server keeps those that it knows, and drops those that are not asked for any more. */
export interface WaitRequest extends StepName {
  readonly op: WaitOperation;
}

export type WaitOperation =
  /** `condition`: the JSON of a condition. */
  | { readonly kind: "event"; readonly condition: Json; readonly timeoutMs?: number }
  /** From its registration. */
  | { readonly kind: "sleep"; readonly ms: number }
  /** ms since the epoch. */
  | { readonly kind: "sleep_until"; readonly at: number }
  | {
      readonly kind: "approval";
      readonly title?: string;
      /** Who may answer; absent: whoever may operate. */
      readonly by?: readonly string[];
      /** What is to be entered with it. */
      readonly form?: JsonSchema;
      readonly timeoutMs?: number;
    }
  | { readonly kind: "call"; readonly pipeline: string; readonly params: CarriedValue };

/** How a step or a wait ended. */
export type RecordedOutcome =
  /**
   * Of a wait for events: its firing (`isFired`, `key`, `at`, `revision`, `interval`, `members`); of an approval: `approved`, `by`,
   * `at`, `form`; of a call: the called run's output; of a sleep: null.
   */
  | { readonly kind: "value"; readonly value: CarriedValue }
  /** Of a step it holds for its attempt only: the next attempt runs the step again. */
  | { readonly kind: "error"; readonly error: AttemptError }
  /** A wait's own timeout came first. */
  | { readonly kind: "timeout" };

/** What a task run has recorded. It holds over the attempts of its generation. */
export interface StepRecord extends StepName {
  /** The order of commit, from 1, within the task run and generation. */
  readonly seq: number;
  readonly kind: "step" | "wait";
  readonly outcome: RecordedOutcome;
}

/** Steps that ended, to be recorded; `recorded` answers. */
export interface Steps {
  readonly kind: "steps";
  readonly token: DispatchToken;
  readonly steps: readonly (StepName & {
    readonly outcome: Exclude<RecordedOutcome, { readonly kind: "timeout" }>;
    /** What the step emitted, to be committed with it. */
    readonly events?: readonly CloudEvent[];
  })[];
}

export interface AttemptTimes {
  /** Worker's clock, ms since the epoch, for display only. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Results {
  readonly kind: "results";
  readonly results: readonly {
    readonly token: DispatchToken;
    readonly outcome: AttemptOutcome;
    readonly times: AttemptTimes;
  }[];
}

export type LogLevel = "debug" | "info" | "warn" | "error";
export interface LogLine {
  /** ms since the epoch, worker's clock. */
  readonly at: number;
  readonly stream: "stdout" | "stderr" | "log" | "system";
  readonly level: LogLevel;
  readonly text: string;
  readonly fields?: { readonly [name: string]: Json };
}

export interface Logs {
  readonly kind: "logs";
  readonly token: DispatchToken;
  readonly attempt: number;
  /** Position of the first line in the attempt's log, from 0: repeats are recognised by it. */
  readonly from: number;
  readonly lines: readonly LogLine[];
}

export interface Progress {
  readonly kind: "progress";
  readonly token: DispatchToken;
  /** 0…1. */
  readonly fraction: number;
  readonly message?: string;
}

export type ArtifactType = "markdown" | "table" | "image" | "file" | "html";
export interface Artifact {
  readonly kind: "artifact";
  readonly token: DispatchToken;
  readonly attempt: number;
  readonly name: string;
  readonly type: ArtifactType;
  readonly mediaType: string;
  readonly blob: string;
  readonly bytes: number;
}

/** The worker takes nothing new; it goes when what it runs has ended. */
export interface Draining {
  readonly kind: "draining";
}

/** Sent each `heartbeatMs`, by a timer of the worker's main process, which runs no user code. */
export interface Heartbeat {
  readonly kind: "heartbeat";
  /**
   * As in `hello`: what runs here, and what has ended here without an acknowledgement. Absent when that is not known, or
   * too much for a heartbeat.
   */
  readonly running?: readonly DispatchToken[];
}

/** What a function asked for in a rehearsal, in that order; or why that is not known. */
export interface Rehearsed {
  readonly kind: "rehearsed";
  readonly number: number;
  readonly asked?: readonly (StepName & {
    readonly kind: "step" | "wait";
    /** `pipelines/orders.ts:12` */
    readonly place?: string;
  })[];
  readonly error?: AttemptError;
}

export type WorkerMessage =
  | Hello
  | Results
  | Steps
  | Rehearsed
  | Logs
  | Progress
  | Artifact
  | Draining
  | Heartbeat;

export interface Welcome {
  readonly kind: "welcome";
  readonly protocol: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** Of `running`: what was given up meanwhile; the worker kills it. */
  readonly revoked: readonly DispatchToken[];
}

export interface Dispatch {
  readonly token: DispatchToken;
  readonly pipeline: string;
  readonly bundle: string;
  readonly attempt: number;
  /** The node's task function is found by loading the bundle and building the pipeline. */
  readonly input: CarriedValue;
  /** Running time that the attempt has left: waits don't count. */
  readonly timeoutMs?: number;
  readonly env: readonly string[];
  readonly connections: readonly string[];
  /** (run, node, item, generation): equal over attempts and dispatches. */
  readonly idempotencyKey: string;
  /** The key of the run's partition; absent: it runs for none. */
  readonly partition?: string;
  /** Sent before a slot is free, because tasks like it are short: it waits in the worker, or is returned. */
  readonly ahead?: boolean;
  /** The run's parameters, where its pipeline declares some. */
  readonly params?: CarriedValue;
  /** The attempt waits for a debugger before its task is called, and has no timeout. */
  readonly inspect?: boolean;
  /** All that the task run has recorded in this generation, by `seq`; absent: nothing. */
  readonly records?: readonly StepRecord[];
  /** The triggers that led to its run: an attribute of each event that it emits at once (`causesAttribute`). */
  readonly causes?: string;
}

export interface Dispatches {
  readonly kind: "dispatches";
  readonly dispatches: readonly Dispatch[];
}

export interface Cancel {
  readonly kind: "cancel";
  readonly token: DispatchToken;
  readonly reason: string;
  /** Time between the signal and the hard kill. */
  readonly graceMs: number;
}

export interface Ack {
  readonly kind: "ack";
  readonly tokens: readonly DispatchToken[];
}

/** These steps are committed. */
export interface Recorded {
  readonly kind: "recorded";
  readonly token: DispatchToken;
  readonly steps: readonly StepName[];
}

/**
 * Runs a function on its records as a resume would, to learn what it asks for; it begins no step, and nothing of what it says or
 * gives counts. `rehearsed` answers. Sent once: whoever asked waits for a bounded time.
 */
export interface Rehearse {
  readonly kind: "rehearse";
  readonly number: number;
  readonly dispatch: Dispatch;
}

/** The server goes away on purpose or refuses: `retry` says whether to come back. */
export interface Goodbye {
  readonly kind: "goodbye";
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
}

export type ServerMessage = Welcome | Dispatches | Cancel | Ack | Recorded | Rehearse | Goodbye;
