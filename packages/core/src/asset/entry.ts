/**
 * Entries of the log that tell of assets: made of reports, and read for the rows that show assets.
 *
 * N1: an entry is Millrace's own, its subject the asset's name. Whoever reported, it says the same of the same report, so a
 *     repeat is a repeat of the log, too.
 * N2: what does not fit what is deployed is told all the same, as `invalid`: it fires nothing and is shown.
 */
import { unreachable } from "../assert.ts";
import type { EventDraft } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import type { Json } from "../json.ts";
import {
  assetPartitionType,
  assetProgressType,
  assetUpdatedType,
  type AssetPartitionAdded,
  type AssetProducer,
  type AssetProgress,
  type AssetUpdate,
} from "../partition/asset-event.ts";
import type { AssetDefinition } from "../partition/definition.ts";
import { readAssetKey } from "./key.ts";
import { progressFault } from "./progress-bound.ts";
import type { AssetReport } from "./report.ts";

export type AssetTelling = Exclude<AssetReport, { readonly kind: "unchanged" }>;

export interface EntryPlace {
  readonly id: string;
  readonly lane: string;
  /** What is deployed under the asset's name. */
  readonly definition: AssetDefinition | undefined;
  /** The version where the report has none: one that no other update has. */
  readonly version: string;
  /** The log's clock: progress is bounded by it. */
  readonly now: number;
  /** Who wrote, and for which partition it runs. */
  readonly run?: AssetProducer;
  readonly runPartition?: string | undefined;
  readonly revision?: number | undefined;
}

/** The entry that a report becomes. */
export function assetEntry(report: AssetTelling, place: EntryPlace): EventDraft {
  const judged = judge(report, place);
  const { type, data } = contentOf(report, judged.partition, place);
  return {
    lane: place.lane,
    source: ownSource,
    id: place.id,
    type,
    subject: report.asset,
    time: undefined,
    data: { value: data as unknown as Json },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: judged.fault,
  };
}

interface Judged {
  /** In its one spelling, where the asset has it; else as it came. */
  readonly partition: string | null;
  readonly fault: string | undefined;
}

function judge(report: AssetTelling, { definition, runPartition, now }: EntryPlace): Judged {
  const told = report.kind === "progress" ? null : (report.partition ?? null);
  if (!definition) {
    const fault = `no deployed project has an asset of the name ${JSON.stringify(report.asset)}`;
    return { partition: told, fault };
  }
  const { partitions } = definition;
  switch (report.kind) {
    case "updated": {
      const key = told ?? (partitions ? (runPartition ?? report.runPartition ?? null) : null);
      const read = readAssetKey(partitions, key);
      return read.fault === undefined
        ? { partition: read.key, fault: undefined }
        : { partition: key, fault: read.fault };
    }
    case "partition": {
      if (!hasDynamicKeys(partitions))
        return { partition: told, fault: "only an asset with dynamic partitions learns of new keys" };
      const read = readAssetKey(partitions, told);
      return read.fault === undefined
        ? { partition: read.key, fault: undefined }
        : { partition: told, fault: read.fault };
    }
    case "progress":
      // Of any asset: `reached` also asks for windows of what has none of its own, such as a topic.
      return { partition: null, fault: progressFault(report, definition, now) };
    default:
      return unreachable(report);
  }
}

/** Keys of them become known only as somebody tells them. */
export function hasDynamicKeys(partitions: AssetDefinition["partitions"]): boolean {
  if (partitions?.kind === "tuple")
    return Object.values(partitions.of).some(({ kind }) => kind === "dynamic");
  return partitions?.kind === "dynamic";
}

interface Content {
  readonly type: string;
  readonly data: AssetUpdate | AssetProgress | AssetPartitionAdded;
}

function contentOf(report: AssetTelling, partition: string | null, place: EntryPlace): Content {
  const { asset } = report;
  const run = place.run ?? report.run;
  const by = run ? { run } : {};
  switch (report.kind) {
    case "updated": {
      const data: AssetUpdate = {
        asset,
        partition,
        version: report.version ?? place.version,
        kind: report.isObserved ? "observed" : "materialized",
        metadata: report.metadata,
        ...by,
        ...(place.revision === undefined ? {} : { revision: place.revision }),
      };
      return { type: assetUpdatedType, data };
    }
    case "progress":
      return { type: assetProgressType, data: { asset, until: report.until, ...by } };
    case "partition":
      return { type: assetPartitionType, data: { asset, partition: partition ?? report.partition, ...by } };
    default:
      return unreachable(report);
  }
}

/** What an entry says of an asset, as its rows take it. */
export interface AssetFact {
  readonly kind: "updated" | "progress" | "partition";
  readonly asset: string;
  readonly lane: string;
  /** The empty text for the whole asset. */
  readonly partition: string;
  readonly version: string | undefined;
  readonly isObserved: boolean;
  readonly metadata: { readonly [name: string]: Json } | undefined;
  /** ms since 1970. */
  readonly until: number | undefined;
  readonly revision: number | undefined;
  readonly run: AssetProducer | undefined;
  readonly invalid: string | undefined;
}

const factKinds: { readonly [type: string]: AssetFact["kind"] } = {
  [assetUpdatedType]: "updated",
  [assetProgressType]: "progress",
  [assetPartitionType]: "partition",
};

/** Nothing where an entry tells of no asset. */
export function assetFactOf(
  event: Pick<EventDraft, "source" | "type" | "lane" | "data" | "invalid">,
): AssetFact | undefined {
  const kind = factKinds[event.type];
  if (kind === undefined || event.source !== ownSource || event.data.blob !== undefined) return undefined;
  // Only `assetEntry` makes these (N1).
  const data = (event.data.value ?? {}) as unknown as Partial<AssetUpdate & AssetProgress>;
  if (data.asset === undefined) return undefined;
  return {
    kind,
    asset: data.asset,
    lane: event.lane,
    partition: data.partition ?? "",
    version: data.version,
    isObserved: data.kind === "observed",
    metadata: data.metadata,
    until: data.until === undefined ? undefined : Date.parse(data.until),
    revision: data.revision,
    run: data.run,
    invalid: event.invalid,
  };
}
