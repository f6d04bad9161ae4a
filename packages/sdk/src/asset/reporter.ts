/** What a task tells of an asset: `ctx.asset(a)`. */
import type { Json } from "@millrace/core";

/** The type of an asset's partition keys; an asset without partitions has none. */
export type AssetPartitionKey<Key extends string | null> = [Key] extends [null] ? never : Exclude<Key, null>;

/** What is told of an update. */
export interface MaterializedUpdate<Key extends string | null = string | null> {
  /** Which partition; that of the run unless given. */
  readonly partition?: AssetPartitionKey<Key>;
  /** What tells this content from another, such as a snapshot's id or a hash; one of its own unless given. 200 characters at most. */
  readonly version?: string;
  /** Shown with the partition, and seen by conditions: 8,192 characters at most as JSON. */
  readonly metadata?: { readonly [name: string]: Json };
}

export interface ReportOptions {
  /** Records it at once, and resolves when that is done: also when the attempt fails afterwards. */
  readonly now?: boolean;
}

/**
 * Tells what became of an asset, with the attempt's success. Throws MILLRACE_EVENT_INVALID or MILLRACE_EVENT_TOO_LARGE. What
 * does not fit the asset (a key that it does not have) is recorded as invalid, starts nothing, and is shown by
 * `millrace assets show`.
 */
export interface AssetReporter<Key extends string | null = string | null> {
  /** The task wrote it. */
  materialized(update?: MaterializedUpdate<Key>, options?: ReportOptions): Promise<void>;
  /** It was seen to have changed: somebody else wrote it. */
  observed(update?: MaterializedUpdate<Key>, options?: ReportOptions): Promise<void>;
  /** A task that declares to write it did not: its success updates nothing. */
  unchanged(): Promise<void>;
  /**
   * All its windows that end by `until` are complete. Too far ahead of the clock (the asset's `progressAhead`) it is recorded as
   * invalid, and with `now` refused: MILLRACE_PROGRESS_AHEAD.
   */
  progress(until: Date | string, options?: ReportOptions): Promise<void>;
  /** A dynamic key is known from now on, before anything is written to it. */
  addPartition(key: AssetPartitionKey<Key>, options?: ReportOptions): Promise<void>;
}
