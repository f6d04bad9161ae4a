/** What a run's tasks see of the firing that started it. */
import type { AssetProgress, AssetUpdate } from "@millrace/core";
import type { PartitionWindow } from "../asset/partitions.ts";

/** One event, as tasks read it. */
export interface FiredEvent<Type extends string = string, Data = unknown> {
  /** Its place in the log. */
  readonly position: number;
  readonly type: Type;
  readonly source: string;
  readonly id: string;
  readonly subject: string | null;
  /** Its own time, and the time at which the log took it: ISO 8601 in UTC. */
  readonly time: string;
  readonly recordedAt: string;
  readonly data: Data;
}

/** One tick of a schedule: the data interval [from, at), ISO 8601 in UTC. */
export interface FiredTick {
  readonly from: string;
  readonly at: string;
}

/** What did not come: the span in which it was awaited. */
export interface FiredSilence {
  readonly silentFrom: string;
  readonly at: string;
}

/** An update of an asset: `data.partition`, `data.version`, `data.metadata`, and the run that wrote it. */
export type FiredUpdate = FiredEvent<"millrace.asset.updated", AssetUpdate>;

/** An asset says how far it is complete: `data.until`. */
export type FiredProgress = FiredEvent<"millrace.asset.progress", AssetProgress>;

export type Fired = FiredEvent | FiredTick | FiredSilence;

/** The partition that a run is for. */
export interface RunPartition<
  Key extends string = string,
  Window extends PartitionWindow | null = PartitionWindow | null,
> {
  readonly key: Key;
  /** The stretch of time that it is; null where it is none. */
  readonly window: Window;
}

export interface FiringInterval {
  readonly from: string;
  readonly to: string;
}

/**
 * What satisfied the trigger: the exact members, by operand name, and nothing else. A run that a person started has no
 * members; its key and interval are null unless they were given.
 */
export interface Firing<
  Operands extends { readonly [name: string]: unknown } = { readonly [name: string]: Fired },
  Partition = RunPartition | null,
> {
  /** False for a run that a person started. */
  readonly isFired: boolean;
  /** The value of `.by(…)`, null without it. */
  readonly key: string | null;
  /** Log time of the firing. */
  readonly at: string | null;
  /** 1, or more when late events or updates re-opened a window. */
  readonly revision: number;
  /** The data interval: of the schedule's tick, the window, or the partition. */
  readonly interval: FiringInterval | null;
  /** The partition that the run is for: of the asset, or of what the condition maps it to. */
  readonly partition: Partition;
  /** The run of the revision before this one. */
  readonly previousRun: string | null;
  /** Not all that belongs to it is there: by `orAfter` of `on.reached`, or as an operand had more than 10,000 members, of which the newest are here. */
  readonly incomplete: boolean;
  readonly members: { readonly [name in keyof Operands]: readonly Operands[name][] };
}
