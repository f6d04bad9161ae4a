import type { AssetDefinition, PartitionRange } from "@millrace/core";
import {
  about,
  anObject,
  anyJson,
  integer,
  list,
  mapOf,
  named,
  number,
  object,
  oneOf,
  text,
  time,
  typed,
  yes,
  type TypeOf,
} from "../shape.ts";
import { limit, operation, paging, textParameter, timeParameter } from "./operation.ts";
import { page } from "./parts.ts";

export const assetProducerView = about(
  "Who wrote last.",
  named(
    "AssetProducerView",
    object({ runId: text }, { pipeline: text, node: text, item: text, generation: integer(0) }),
  ),
);
export type AssetProducerView = TypeOf<typeof assetProducerView>;

export const freshnessView = about(
  "How old it may be, and whether its last update is older; `never`: there was none.",
  named("FreshnessView", object({ maxAgeMs: number(), state: oneOf("fresh", "stale", "never") })),
);
export type FreshnessView = TypeOf<typeof freshnessView>;

export const partitionCounts = about(
  "Which partitions are there.",
  named(
    "PartitionCounts",
    object(
      { kind: about("In words: `windows every day at 00:00`.", text), present: integer(0) },
      {
        missing: about(
          "Windows that are over, static keys and known keys without an update. Absent: nobody knows which there should be.",
          integer(0),
        ),
        newestOnly: about(
          "There are so many that the newest alone are looked at for what is missing; of very many rows, also for what is present.",
          yes,
        ),
      },
    ),
  ),
);
export type PartitionCounts = TypeOf<typeof partitionCounts>;

export const rejectionView = about(
  "What was told and did not fit.",
  named(
    "RejectionView",
    object(
      { count: integer(0), at: about("Of the last one.", time), position: integer(0), reason: text },
      { partition: text, runId: text },
    ),
  ),
);
export type RejectionView = TypeOf<typeof rejectionView>;

export const assetSummary = named(
  "AssetSummary",
  object(
    {
      name: text,
      tags: list(text),
      updates: integer(0),
      upstream: about(
        "What it is made of, and what is made of it: as declared, and as tasks read and write.",
        list(text),
      ),
      downstream: list(text),
    },
    {
      project: about("Absent: no project declares it, and something was told of it.", text),
      description: text,
      owner: text,
      partitions: partitionCounts,
      freshness: freshnessView,
      lastUpdate: object({ at: time, position: integer(0) }, { runId: text }),
      writtenBy: about("Pipelines with tasks that declare to write it.", list(text)),
      progress: about("All its windows that end by then are complete, as somebody told.", text),
      rejected: rejectionView,
    },
  ),
);
export type AssetSummary = TypeOf<typeof assetSummary>;

export const assetNode = named("AssetNode", object({ pipeline: text, node: text }));
export type AssetNode = TypeOf<typeof assetNode>;

export const assetUpdateView = about(
  "One entry of the log.",
  named(
    "AssetUpdateView",
    object(
      { position: integer(0), at: time, version: text, metadata: mapOf(anyJson) },
      {
        partition: about("Absent for the whole asset.", text),
        observed: yes,
        revision: integer(0),
        producer: assetProducerView,
        invalid: about("Why it does not count.", text),
      },
    ),
  ),
);
export type AssetUpdateView = TypeOf<typeof assetUpdateView>;

export const assetDetail = named(
  "AssetDetail",
  object(
    {
      ...assetSummary.required,
      writers: list(assetNode),
      readers: list(assetNode),
      triggers: about("Pipelines whose triggers listen to it.", list(text)),
      ranges: about(
        "In the order of its partitions; `rangesAreMore` where not all are listed.",
        list(typed<PartitionRange>(anObject)),
      ),
      lastUpdates: about("The newest first.", list(assetUpdateView)),
    },
    {
      ...assetSummary.optional,
      definition: about("Absent where no project declares it.", typed<AssetDefinition>(anObject)),
      rangesAreMore: yes,
    },
  ),
);
export type AssetDetail = TypeOf<typeof assetDetail>;

export const assetPartitionView = about(
  "What the last update of a partition told.",
  named(
    "AssetPartitionView",
    object(
      { updates: integer(0), position: integer(0) },
      {
        partition: about("Absent for the whole asset.", text),
        at: about("Absent: its key is known, and nothing was written to it.", time),
        version: text,
        observed: yes,
        metadata: mapOf(anyJson),
        revision: integer(0),
        producer: assetProducerView,
      },
    ),
  ),
);
export type AssetPartitionView = TypeOf<typeof assetPartitionView>;

export const assetCellView = named(
  "AssetCellView",
  object(
    {
      key: text,
      state: about(
        "`open`: its window is not over, so that nothing is missing.",
        oneOf("present", "missing", "open"),
      ),
      updates: integer(0),
    },
    {
      at: time,
      revision: integer(0),
      parts: about("Of a combination: its part in each dimension.", mapOf(text)),
    },
  ),
);
export type AssetCellView = TypeOf<typeof assetCellView>;

export const assetCellsView = about(
  "Partitions of an asset as a calendar or matrix shows them.",
  named(
    "AssetCellsView",
    object(
      {
        kind: oneOf("time", "static", "tuple", "dynamic"),
        cells: about(
          "In their order: of windows the newest ones that have begun by `until`.",
          list(assetCellView),
        ),
      },
      {
        earlier: about("Ask for what lies before it (`until=`), or after the last key (`after=`).", text),
        after: text,
      },
    ),
  ),
);
export type AssetCellsView = TypeOf<typeof assetCellsView>;

export const assetUseView = about(
  "What a task run wrote, or found in what it reads when its attempt began.",
  named(
    "AssetUseView",
    object(
      {
        direction: oneOf("read", "write"),
        node: text,
        item: text,
        generation: integer(0),
        asset: text,
        at: time,
      },
      {
        partition: text,
        position: about("Absent: nothing was there to be read.", integer(0)),
        version: text,
      },
    ),
  ),
);
export type AssetUseView = TypeOf<typeof assetUseView>;

const lane = textParameter("Of this lane; live unless given");
/** Partitions that a calendar or matrix shows at once: a year of days, a fortnight of hours. */
const assetCells = 400;
const assetCellsMax = 1_000;

export const assetOperations = {
  listAssets: operation({
    method: "GET",
    path: "/assets",
    summary: "Assets by name: those that are declared, and those of which something was told",
    query: { lane, ...paging },
    answer: page(assetSummary),
  }),
  getAsset: operation({
    method: "GET",
    path: "/assets/:asset",
    summary: "One asset: its partitions, who writes and reads it, its last updates",
    query: { lane },
    answer: assetDetail,
  }),
  getAssetCells: operation({
    method: "GET",
    path: "/assets/:asset/cells",
    summary:
      "Its partitions in short, as a calendar or matrix: windows that have begun, static keys, known keys",
    query: {
      lane,
      until: timeParameter("Windows that begin before this time; now unless given"),
      after: textParameter("Of keys without order in time: those after this one"),
      limit: limit("how many", assetCellsMax, assetCells),
    },
    answer: assetCellsView,
  }),
  listAssetPartitions: operation({
    method: "GET",
    path: "/assets/:asset/partitions",
    summary: "Its partitions by key, with what their last updates told",
    query: { lane, ...paging },
    answer: page(assetPartitionView),
  }),
  getAssetPartition: operation({
    method: "GET",
    path: "/assets/:asset/partitions/:partition",
    summary: "One of its partitions",
    query: { lane },
    answer: assetPartitionView,
  }),
  listRunAssets: operation({
    method: "GET",
    path: "/runs/:id/assets",
    summary: "What a run wrote, and what it found in what it reads",
    answer: page(assetUseView),
  }),
} as const;
