/**
 * What task runs wait for. A `wait` node waits for one condition; the function of a task may wait for several things at once
 * and names each of them. How a wait ends is decided where the log is read; the run machine learns it by `wait_ended`.
 */
import type { JsonSchema } from "../graph/definition.ts";
import type { Json } from "../json.ts";
import type { AttemptError } from "../retry/policy.ts";
import type { StoredValue } from "./state.ts";

/** Names one wait, or one step, within a task run: the nth of its name, from 1. */
export interface OperationName {
  readonly name: string;
  readonly occurrence: number;
}

/** What a wait in code waits for. Spans are milliseconds. */
export type WaitOperation =
  | { readonly kind: "event"; readonly condition: Json; readonly timeoutMs?: number }
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "sleep_until"; readonly at: number }
  | {
      readonly kind: "approval";
      readonly title?: string;
      /** Who may answer; anybody who may operate runs, if absent. */
      readonly by?: readonly string[];
      readonly form?: JsonSchema;
      readonly timeoutMs?: number;
    }
  | { readonly kind: "call"; readonly pipeline: string; readonly params: StoredValue };

export interface WaitRequest extends OperationName {
  readonly op: WaitOperation;
}

/** A wait that has not ended. */
export interface OpenWait extends WaitRequest {
  /** Of a call: its run. */
  childRunId?: string;
}

export type OperationOutcome =
  | { readonly kind: "value"; readonly value: StoredValue }
  | { readonly kind: "timeout" }
  | { readonly kind: "error"; readonly error: AttemptError };

/** A step that finished, or a wait that ended: what the function gets when it runs again from the top. */
export interface StepRecord extends OperationName {
  /** Order of commit within the task run's generation, from 1. */
  readonly seq: number;
  readonly kind: "step" | "wait";
  readonly outcome: OperationOutcome;
}

/** The name of a `wait` node's only wait. */
export const nodeWait: OperationName = { name: "", occurrence: 1 };

export function operationKey({ name, occurrence }: OperationName): string {
  return `${occurrence} ${name}`;
}

/** What a task's function has recorded and waits for, in one generation. */
export interface CodeState {
  /** Of the last record; 0 before the first. */
  seq: number;
  /** The dispatch during or after which a wait ended that this dispatch was not told of. */
  wokenAt: number;
  /** Time in which dispatches of this attempt ran that have ended, in ms: waits do not count. */
  ranMs: number;
  /** By `operationKey`. */
  readonly open: Map<string, OpenWait>;
  /** Up to which position of the log the last wait of each name has seen it. */
  readonly seen: Map<string, number>;
  /** Assets of which its steps told what became of them: its success tells nothing more of these. */
  readonly told: Set<string>;
}

/** A `CodeState` as JSON. */
export interface CodeRecord {
  readonly seq: number;
  readonly wokenAt: number;
  readonly ranMs: number;
  readonly open: readonly OpenWait[];
  readonly seen: { readonly [name: string]: number };
  /** Absent: none. */
  readonly told?: readonly string[];
}

export function newCodeState(): CodeState {
  return { seq: 0, wokenAt: 0, ranMs: 0, open: new Map(), seen: new Map(), told: new Set() };
}

export function codeRecordOf(code: CodeState): CodeRecord {
  const { seq, wokenAt, ranMs, open, seen, told } = code;
  // A copy: what a row says must not change while its flush is on its way.
  const waits = Array.from(open.values(), (wait) => ({ ...wait }));
  const record = { seq, wokenAt, ranMs, open: waits, seen: Object.fromEntries(seen) };
  return told.size === 0 ? record : { ...record, told: [...told] };
}

export function readCodeRecord({ seq, wokenAt, ranMs, open, seen, told }: CodeRecord): CodeState {
  return {
    seq,
    wokenAt,
    ranMs,
    open: new Map(open.map((wait) => [operationKey(wait), { ...wait }])),
    seen: new Map(Object.entries(seen)),
    told: new Set(told),
  };
}
