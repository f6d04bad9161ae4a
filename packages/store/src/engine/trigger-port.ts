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

/** Where a firing stands at its trigger's gate: it waits for its run, or has started it. */
export type GateState = "waiting" | "started";

/** A firing and its run, which is part of the same flush unless the firing waits. */
export interface FiringRow extends Firing {
  readonly workspace: number;
  /** Of the last entry that was told before it was decided. */
  readonly position: number;
  /** Absent where no run could begin, and where it was merged into another firing. */
  readonly runId: string | undefined;
  readonly reason: Reason | undefined;
  readonly value: StoredValue | undefined;
  /** Absent for those that no gate knows. */
  readonly gate?: GateState | undefined;
  /** It was merged into the firing of this run, whose members it has from there on. */
  readonly into?: { readonly runId: string; readonly from: number } | undefined;
  /** The triggers that led to it, as an attribute holds them; absent where that is its own trigger once. */
  readonly causes?: string | undefined;
}

/** What becomes of a firing that stands at its trigger's gate, by its run. */
export interface FiringChange {
  readonly workspace: number;
  readonly runId: string;
  /** Absent: it has left the gate. */
  readonly gate: GateState | undefined;
  /** What is absent stays as it is. */
  readonly reason?: Reason | undefined;
  readonly value?: StoredValue | undefined;
  readonly causes?: string | undefined;
}

/** A firing that waits for its run. */
export interface WaitingFiringRow {
  readonly runId: string;
  readonly version: number;
  readonly key: string;
  readonly occurrence: number;
  readonly revision: number;
  readonly at: number;
  readonly position: number;
  /** With counts of its members (`countedValue`). */
  readonly value: Json;
  readonly causes: string | undefined;
}

export interface GateRows {
  /** Runs that were started and have not ended. */
  readonly active: readonly string[];
  /** The longest first: those that wait longest, and the newest of each key that was asked for. */
  readonly waiting: readonly WaitingFiringRow[];
  /** Others wait besides. */
  readonly hasMore: boolean;
}

export interface GateAsk {
  readonly workspace: number;
  readonly pipeline: string;
  readonly keys: readonly string[];
  /** How many of those that wait longest. */
  readonly oldest: number;
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
