/**
 * Assets and their partitions as data. This is their JSON form everywhere: in bundles, rows, the API. `parse.ts` checks
 * partitions and mappings and brings them to their one spelling; `partitions.ts` makes them executable.
 *
 * A partition is named by its **key**, a text. The keys of a definition are canonical: one partition has one key.
 */
import type { SourceLocation } from "../graph/definition.ts";
import type { CronSchedule, EverySchedule } from "../schedule/schedule.ts";

/**
 * Windows of calendar time: each begins at one tick of `every`, in the zone of `every`, and ends at the next one.
 *
 * Keys: windows of whole days that begin at midnight are named by their first day (`2026-10-25`), of whole months by their
 * month (`2026-10`), of years by their year; all others by their first instant with the offset from UTC
 * (`2026-10-25T02:00+02:00`).
 */
export interface TimePartitions {
  readonly kind: "time";
  /** Its ticks are the windows' bounds. No jitter: data has none. */
  readonly every: CronSchedule | EverySchedule;
  /** No window begins before: ISO 8601 in UTC. */
  readonly start: string;
  /** No window ends after it: ISO 8601 in UTC. Absent: they go on for ever. */
  readonly end?: string;
}

/** These keys, in this order. */
export interface StaticPartitions {
  readonly kind: "static";
  readonly keys: readonly string[];
}

/** Keys that become known as they are written. */
export interface DynamicPartitions {
  readonly kind: "dynamic";
}

/** One partition for each combination. Its key is `day=2026-10-25/region=eu`, dimensions in the order of their names. */
export interface TuplePartitions {
  readonly kind: "tuple";
  readonly of: { readonly [dimension: string]: PartitionDimension };
}

export type PartitionDimension = TimePartitions | StaticPartitions | DynamicPartitions;
export type PartitionsDefinition = PartitionDimension | TuplePartitions;

/**
 * Which partitions of another asset (`from`) a partition of this one (`to`) is made of. An asset without partitions is one
 * partition, whose key is `null`.
 */
export type PartitionMapping =
  /** The partition with the same key. */
  | { readonly kind: "identity" }
  /** Time on both sides: all windows that overlap, whichever of the two are longer. */
  | { readonly kind: "windows" }
  /** Time on both sides: the last `n` windows that end no later than this one does. */
  | { readonly kind: "last"; readonly n: number }
  /** Every partition is made of all. */
  | { readonly kind: "all" }
  /** For each key of `from` the keys of `to` that it is a part of; those that are not listed are part of none. */
  | { readonly kind: "table"; readonly to: { readonly [from: string]: readonly string[] } }
  /** CEL over `key` (and `window.from`, `window.to`) of a partition of `from`: the key of `to`, or a list of keys. */
  | { readonly kind: "cel"; readonly text: string }
  /** Tuples: for each dimension of `to` where it comes from. Dimensions of `from` that nothing names are gathered. */
  | { readonly kind: "dimensions"; readonly of: { readonly [to: string]: DimensionMapping } };

export interface DimensionMapping {
  /** A dimension of `from`; absent where `from` is no tuple. */
  readonly from?: string;
  readonly mapping: Exclude<PartitionMapping, { readonly kind: "dimensions" }>;
}

/** An asset that another one is made of. */
export interface AssetUpstream {
  readonly asset: string;
  /** Absent: `windows` where both have time partitions, `identity` where both have equal ones, `all` where one has none. */
  readonly mapping?: PartitionMapping;
}

export interface AssetDefinition {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  /** Absent: it is one piece. */
  readonly partitions?: PartitionsDefinition;
  readonly upstream?: readonly AssetUpstream[];
  /** It is late when nothing updated it for longer. */
  readonly freshness?: { readonly maxAgeMs: number };
  /** How far ahead of the clock it may be told to be complete. Absent: a day. */
  readonly progressAheadMs?: number;
  readonly source?: SourceLocation;
}
