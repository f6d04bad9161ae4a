/** Shapes of assets in `/api/v1`; `api.ts` lists the routes. */
import type { AssetDefinition, Json, PartitionRange } from "@millrace/core";

/** Who wrote last. */
export interface AssetProducerView {
  readonly runId: string;
  readonly pipeline?: string;
  readonly node?: string;
  readonly item?: string;
  readonly generation?: number;
}

/** How old it may be, and whether its last update is older; `never`: there was none. */
export interface FreshnessView {
  readonly maxAgeMs: number;
  readonly state: "fresh" | "stale" | "never";
}

/** Which partitions are there. */
export interface PartitionCounts {
  /** In words: `windows every day at 00:00`. */
  readonly kind: string;
  readonly present: number;
  /** Windows that are over, static keys and known keys without an update. Absent: nobody knows which there should be. */
  readonly missing?: number;
  /** There are so many that the newest alone are looked at for what is missing; of very many rows, also for what is present. */
  readonly newestOnly?: true;
}

/** What was told and did not fit. */
export interface RejectionView {
  readonly count: number;
  /** Of the last one. */
  readonly at: string;
  readonly position: number;
  readonly reason: string;
  readonly partition?: string;
  readonly runId?: string;
}

export interface AssetSummary {
  readonly name: string;
  /** Absent: no project declares it, and something was told of it. */
  readonly project?: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  readonly partitions?: PartitionCounts;
  readonly freshness?: FreshnessView;
  readonly updates: number;
  readonly lastUpdate?: { readonly at: string; readonly position: number; readonly runId?: string };
  /** All its windows that end by then are complete, as somebody told. */
  readonly progress?: string;
  /** Pipelines with tasks that declare to write it. */
  readonly writtenBy?: readonly string[];
  /** What it is made of, and what is made of it: as declared, and as tasks read and write. */
  readonly upstream: readonly string[];
  readonly downstream: readonly string[];
  readonly rejected?: RejectionView;
}

export interface AssetDetail extends AssetSummary {
  /** Absent where no project declares it. */
  readonly definition?: AssetDefinition;
  readonly writers: readonly AssetNode[];
  readonly readers: readonly AssetNode[];
  /** Pipelines whose triggers listen to it. */
  readonly triggers: readonly string[];
  /** In the order of its partitions; `rangesAreMore` where not all are listed. */
  readonly ranges: readonly PartitionRange[];
  readonly rangesAreMore?: true;
  /** The newest first. */
  readonly lastUpdates: readonly AssetUpdateView[];
}

export interface AssetNode {
  readonly pipeline: string;
  readonly node: string;
}

/** One entry of the log. */
export interface AssetUpdateView {
  readonly position: number;
  readonly at: string;
  /** Absent for the whole asset. */
  readonly partition?: string;
  readonly version: string;
  readonly observed?: true;
  readonly metadata: { readonly [name: string]: Json };
  readonly revision?: number;
  readonly producer?: AssetProducerView;
  /** Why it does not count. */
  readonly invalid?: string;
}

/** What the last update of a partition told. */
export interface AssetPartitionView {
  /** Absent for the whole asset. */
  readonly partition?: string;
  readonly updates: number;
  readonly position: number;
  /** Absent: its key is known, and nothing was written to it. */
  readonly at?: string;
  readonly version?: string;
  readonly observed?: true;
  readonly metadata?: { readonly [name: string]: Json };
  readonly revision?: number;
  readonly producer?: AssetProducerView;
}

/** Partitions of an asset as a calendar or matrix shows them. */
export interface AssetCellsView {
  readonly kind: "time" | "static" | "tuple" | "dynamic";
  /** In their order: of windows the newest ones that have begun by `until`. */
  readonly cells: readonly AssetCellView[];
  /** Ask for what lies before it (`until=`), or after the last key (`after=`). */
  readonly earlier?: string;
  readonly after?: string;
}
export interface AssetCellView {
  readonly key: string;
  /** `open`: its window is not over, so that nothing is missing. */
  readonly state: "present" | "missing" | "open";
  readonly updates: number;
  readonly at?: string;
  readonly revision?: number;
  /** Of a combination: its part in each dimension. */
  readonly parts?: { readonly [dimension: string]: string };
}

/** What a task run wrote, or found in what it reads when its attempt began. */
export interface AssetUseView {
  readonly direction: "read" | "write";
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly asset: string;
  readonly partition?: string;
  /** Absent: nothing was there to be read. */
  readonly position?: number;
  readonly version?: string;
  readonly at: string;
}
