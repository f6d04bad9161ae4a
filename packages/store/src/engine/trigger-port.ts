/** The rows of triggers and firings, as the engine gives and reads them. */
import type { Firing, Json, Reason, StoredValue, TriggerDefinition } from "@millrace/core";

/** A pipeline's trigger, as of a position of the log. */
export interface TriggerRow {
  readonly workspace: number;
  readonly pipeline: string;
  readonly shard: number;
  readonly version: number;
  /** Absent: the pipeline has none any more. */
  readonly definition: TriggerDefinition | undefined;
  /** Where this version began. */
  readonly activated: LogPlace;
  readonly paused: LogPlace | undefined;
}

export interface LogPlace {
  readonly position: number;
  readonly recordedAt: number;
}

/** The state of a trigger's condition for one value of its key; the empty text where it has no key. */
export interface TriggerKeyRow {
  readonly workspace: number;
  readonly pipeline: string;
  readonly key: string;
  readonly shard: number;
  readonly state: Json;
  /** The number of the last firing of this key. */
  readonly firings: number;
  readonly dueAt: number | undefined;
  readonly touchedAt: number;
}

/** A firing and its run, which is part of the same flush. */
export interface FiringRow extends Firing {
  readonly workspace: number;
  /** Of the last entry that was told before it was decided. */
  readonly position: number;
  /** Absent where no run could begin. */
  readonly runId: string | undefined;
  readonly reason: Reason | undefined;
  readonly value: StoredValue | undefined;
}

/** How far the rows of a shard's triggers reach. */
export interface LogCursor {
  readonly shard: number;
  readonly position: number;
}

/** What was decided outside of a flush and belongs into the log. */
export interface OutboxRow {
  readonly id: number;
  readonly workspace: number;
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
}

export interface LoadedTriggers {
  readonly triggers: readonly TriggerRow[];
  /** Of triggers without keys. */
  readonly keys: readonly TriggerKeyRow[];
  readonly cursors: readonly LogCursor[];
}
