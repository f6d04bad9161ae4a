/** The rows of waits, and of what functions have recorded, as the engine gives and reads them. */
import type { CodeRecord, Json, OperationOutcome, StepRecord } from "@millrace/core";

/** What a task run waits for. */
export interface WaitRow {
  readonly id: number;
  readonly workspace: number;
  readonly shard: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  /** The empty text and 1 for the only wait of a `wait` node. */
  readonly name: string;
  readonly occurrence: number;
  /** JSON text of a condition; absent: only time ends it. */
  readonly condition: string | undefined;
  /** JSON text; absent as long as nothing has changed it since it began. */
  readonly state: string | undefined;
  readonly beganAt: number;
  /** Entries of the log up to here were told it, or came before it. */
  readonly toldTo: number;
  readonly timeoutAt: number | undefined;
  /** When time alone may end it or change its state. */
  readonly dueAt: number | undefined;
  /** Under which it is found: 64 bits as decimal text. */
  readonly matchKeys: readonly string[];
  /** Of a wait for a person. */
  readonly approval: Json | undefined;
  /** Of one that listens to probes: it finds by itself what has changed after this position of the log. */
  readonly joinsAfter?: number | undefined;
  readonly end: WaitEnd | undefined;
}

/** How a wait ended, and at which position of the log. */
export interface WaitEnd {
  readonly position: number;
  readonly outcome: OperationOutcome;
}

/** An entry of the log that was one of those which ended a wait. */
export type WaitMemberRow = Pick<
  WaitRow,
  "workspace" | "runId" | "node" | "item" | "generation" | "name" | "occurrence"
> & { readonly position: number; readonly endedAt: number };

export type WaitChange = Pick<WaitRow, "id" | "state" | "toldTo" | "dueAt" | "end"> & {
  /** With an end: it is found under these no more. */
  readonly endedKeys: readonly string[];
};

/** A task run's wait; without a name all of them. */
export interface WaitName {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly name: string | undefined;
  readonly occurrence: number | undefined;
}

/** Events of this type (or of all that begin so) are asked for by the value at this path. */
export interface WaitShape {
  readonly workspace: number;
  readonly type: string;
  readonly isPrefix: boolean;
  /** JSON text of a path; empty: by their type alone. */
  readonly path: string;
}

/** A wait of this shard has it, or had it. Only the shard's owner writes it. */
export interface WaitShapeRow extends WaitShape {
  readonly shard: number;
}

export interface StoredShape extends WaitShapeRow {
  /** Of waits that began before keys were in ranges, in any shard. */
  readonly isOld: boolean;
}

/** No wait of these shards has it. */
export interface WaitShapeGone extends WaitShape {
  readonly shards: readonly number[];
}

/** Keys of 64 bits as decimal text, both ends included. */
export interface KeyRange {
  readonly first: string;
  readonly last: string;
}

/** What a function has recorded. */
export interface StepRow extends StepRecord {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly recordedAt: number;
}

export type StepKey = Pick<StepRow, "workspace" | "runId" | "node" | "item" | "generation" | "attempt">;

/** What a function waits for, over its dispatches. */
export interface CodeRow {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly code: CodeRecord;
}

/** What the shards' waits have in common. */
export interface LoadedWaits {
  /** Of all shards: what others wait for is asked of this node, too, as far as it knows. */
  readonly shapes: readonly StoredShape[];
  readonly cursors: readonly { readonly shard: number; readonly position: number }[];
}

/** Where a page of found waits goes on. */
export interface WaitPlace {
  readonly key: string;
  readonly id: number;
}

export interface FoundWaits {
  readonly waits: readonly WaitRow[];
  /** Absent when these are the last. */
  readonly next: WaitPlace | undefined;
}
