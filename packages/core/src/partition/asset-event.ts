/**
 * What the log tells of assets. All types are Millrace's own: source `millrace`, subject the asset's name, lane that of the
 * run. Only Millrace writes them (`event/own.ts`); what others report comes in through its API, which makes them.
 */
import type { Json } from "../json.ts";

export const assetUpdatedType = "millrace.asset.updated";
export const assetProgressType = "millrace.asset.progress";
/** A dynamic key became known before anything was written to it. */
export const assetPartitionType = "millrace.asset.partition";

/** Who wrote. */
export interface AssetProducer {
  readonly id: string;
  readonly pipeline: string;
  readonly node: string;
  /** `""` outside fan-outs, else the item path. */
  readonly item: string;
  readonly generation: number;
}

/** The data of `millrace.asset.updated`. */
export interface AssetUpdate {
  readonly asset: string;
  /** Its key as `partitions.ts` writes it, `null` for the whole asset. One that is not a key of the asset stays as it came. */
  readonly partition: string | null;
  /** What tells this content from another: a snapshot's id, a hash. Unless the writer says, one of its own for each update. */
  readonly version: string;
  /** `materialized`: a run wrote it. `observed`: somebody tells that it changed elsewhere. */
  readonly kind: "materialized" | "observed";
  readonly metadata: { readonly [name: string]: Json };
  readonly run?: AssetProducer;
  /** Of the run that wrote it: 1, or more when it was written again for late data. */
  readonly revision?: number;
}

/** The data of `millrace.asset.progress`: all windows that end by `until` are complete. */
export interface AssetProgress {
  readonly asset: string;
  /** ISO 8601 in UTC. */
  readonly until: string;
  readonly run?: AssetProducer;
}

/** The data of `millrace.asset.partition`. */
export interface AssetPartitionAdded {
  readonly asset: string;
  readonly partition: string;
  readonly run?: AssetProducer;
}
