/**
 * What the worker's main process and a child say to each other: JSON lines, to the child on its file descriptor 3, from it
 * on 4. A child writes synchronously, so what it said before it died is complete, and its output keeps its order.
 * Values above the inline bound lie in files of the worker's folder: no message is large, but for a page of a firing's
 * members, which the server bounds.
 */
import type { AskedOperation, AttemptError, CloudEvent, ErrorCode, Json } from "@millrace/core";
import type { ArtifactType, LogLevel, StepName, StepRecord, WaitOperation } from "@millrace/protocol";

/** A value, or the file that holds its JSON text. */
export type LocalValue = { readonly value: Json } | { readonly file: string };

/** What the task run has recorded, with its values on this machine. */
export interface LocalRecord extends StepName {
  readonly seq: number;
  readonly kind: StepRecord["kind"];
  readonly outcome:
    | { readonly kind: "value"; readonly value: LocalValue }
    | { readonly kind: "error"; readonly error: AttemptError }
    | { readonly kind: "timeout" };
}

export interface LoadBundle {
  readonly kind: "load";
  /** Absolute path of `bundle.mjs`. */
  readonly file: string;
  /** Packages that stay outside, and the folder whose `node_modules` has them. */
  readonly externals?: { readonly root: string; readonly names: readonly string[] };
}

export interface RunAttempt {
  readonly kind: "run";
  /** Counts the child's attempts. */
  readonly id: number;
  readonly runId: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly idempotencyKey: string;
  /** The key of the run's partition, where it runs for one. */
  readonly partition?: string;
  readonly input: LocalValue;
  readonly params?: LocalValue;
  readonly env: { readonly [name: string]: string };
  /** The connections that the task lists; `null` where the worker has no value. */
  readonly connections: { readonly [name: string]: string | null };
  /** Waits for a debugger before it calls the task. */
  readonly inspect?: boolean;
  /** Before it is suspended, its function runs once more on what is recorded, and what differs is logged. */
  readonly checkReplay?: boolean;
  /** By `seq`; absent: none. */
  readonly records?: readonly LocalRecord[];
  /** The function runs on its records only to learn what it asks for. */
  readonly isRehearsal?: boolean;
}

export interface EmitError {
  readonly code: ErrorCode;
  readonly message: string;
}

export type ToChild =
  | LoadBundle
  | RunAttempt
  | { readonly kind: "abort"; readonly id: number; readonly reason: string }
  /** What became of an `emit`; without an error it is recorded. */
  | { readonly kind: "emitted"; readonly number: number; readonly error?: EmitError }
  /** Steps of the attempt `id` that are recorded. */
  | { readonly kind: "recorded"; readonly id: number; readonly steps: readonly StepName[] }
  /** What a `members` asked for. */
  | { readonly kind: "member_page"; readonly number: number; readonly page: MemberPage | EmitError }
  | { readonly kind: "end" };

/** Members of the run's firing, as the server gives them. */
export interface MemberPage {
  readonly items: readonly { readonly operand: string; readonly value: Json }[];
  readonly nextCursor?: string;
}

/** A value that the child produced: inline, or in a file whose hash it knows. */
export type ProducedValue =
  | { readonly value: Json }
  | { readonly file: string; readonly blob: string; readonly bytes: number };

/** A step that ended, to be recorded. */
export interface ProducedStep extends StepName {
  readonly outcome:
    | { readonly kind: "value"; readonly value: ProducedValue }
    | { readonly kind: "error"; readonly error: AttemptError };
  readonly events?: readonly CloudEvent[];
}

/** What an attempt waits for, with the input of a pipeline that it calls still to be stored. */
export interface ProducedWait extends StepName {
  readonly op:
    | Exclude<WaitOperation, { readonly kind: "call" }>
    | { readonly kind: "call"; readonly pipeline: string; readonly params: ProducedValue };
}

export type ChildOutcome =
  | {
      readonly kind: "succeeded";
      readonly output: ProducedValue;
      readonly events?: readonly CloudEvent[];
    }
  | { readonly kind: "failed"; readonly error: AttemptError }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "suspended"; readonly waits: readonly ProducedWait[] };

/** Of a rehearsal. */
export interface RehearsedOutcome {
  readonly kind: "rehearsed";
  readonly asked: readonly AskedOperation[];
}

export interface ChildResult {
  readonly kind: "result";
  readonly id: number;
  readonly outcome: ChildOutcome | RehearsedOutcome;
  /** `clean`: ready for the next. `settling`: something is still open, `settled` follows. `spoiled`: end this child. */
  readonly state: "clean" | "settling" | "spoiled";
}

export type FromChild =
  | { readonly kind: "ready" }
  | { readonly kind: "loaded"; readonly error?: AttemptError }
  | { readonly kind: "output"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | {
      readonly kind: "log";
      readonly level: LogLevel;
      readonly text: string;
      readonly fields?: { readonly [name: string]: Json };
    }
  /** Bytes of output that the child did not send, since it last said so. */
  | { readonly kind: "dropped"; readonly bytes: number }
  | { readonly kind: "progress"; readonly fraction: number; readonly message?: string }
  | {
      readonly kind: "artifact";
      readonly name: string;
      readonly type: ArtifactType;
      readonly mediaType: string;
      readonly file: string;
      readonly blob: string;
      readonly bytes: number;
    }
  /** An event that is to be recorded at once; `emitted` answers. `number` is never used twice in one process. */
  | { readonly kind: "emit"; readonly number: number; readonly event: CloudEvent }
  /** `recorded` answers, in the order in which steps were said. */
  | { readonly kind: "step"; readonly step: ProducedStep }
  /** Asks for members of the run's firing; `member_page` answers. */
  | {
      readonly kind: "members";
      readonly number: number;
      readonly operand?: string;
      readonly cursor?: string;
    }
  | ChildResult
  /** Also at any other time, when something of an ended attempt breaks: `clean` is false then. */
  | { readonly kind: "settled"; readonly clean: boolean }
  /** The attempt was not begun, for the process is not clean any more. */
  | { readonly kind: "refused"; readonly id: number }
  /** Resident memory is above the bound: end this child after its attempt. */
  | { readonly kind: "heavy"; readonly residentMb: number };
