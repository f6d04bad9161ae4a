/** Assets as readers see them: what is deployed, what the log told of them, and how both fit together. */
import {
  assetFactOf,
  describePartitions,
  type AssetProducer,
  type LogEvent,
  type PartitionPicture,
} from "@millrace/core";
import type {
  AssetPartitionView,
  AssetProducerView,
  AssetSummary,
  AssetUpdateView,
  AssetUseView,
  FreshnessView,
  RejectionView,
} from "@millrace/protocol";
import {
  type AssetPartitionRow,
  type AssetStateRow,
  type AssetUser,
  type AssetUseRow,
  type DeployedAsset,
} from "@millrace/store";
import { isoTime } from "./run-summary.ts";

export interface AssetParts {
  readonly name: string;
  readonly deployed: DeployedAsset | undefined;
  readonly state: AssetStateRow | undefined;
  readonly picture: PartitionPicture | undefined;
  readonly lineage: Lineage;
  /** ms since 1970, database time. */
  readonly now: number;
}

export function assetSummary({ name, deployed, state, picture, lineage, now }: AssetParts): AssetSummary {
  const definition = deployed?.definition;
  const { description, owner, tags = [], partitions, freshness } = definition ?? {};
  const update =
    state?.updatedAt === undefined || state.updatePosition === undefined
      ? undefined
      : {
          at: isoTime(state.updatedAt),
          position: state.updatePosition,
          ...(state.runId === undefined ? {} : { runId: state.runId }),
        };
  return {
    name,
    ...(deployed ? { project: deployed.project } : {}),
    ...(description === undefined ? {} : { description }),
    ...(owner === undefined ? {} : { owner }),
    tags,
    ...(partitions && picture
      ? {
          partitions: {
            kind: describePartitions(partitions),
            present: picture.present,
            ...(picture.missing === undefined ? {} : { missing: picture.missing }),
            ...(picture.isCut ? { newestOnly: true as const } : {}),
          },
        }
      : {}),
    ...(freshness ? { freshness: freshnessOf(freshness.maxAgeMs, state?.updatedAt, now) } : {}),
    updates: state?.updates ?? 0,
    ...(update ? { lastUpdate: update } : {}),
    ...(state?.progressUntil === undefined ? {} : { progress: isoTime(state.progressUntil) }),
    writtenBy: lineage.writersOf(name),
    upstream: lineage.upstreamOf(name),
    downstream: lineage.downstreamOf(name),
    ...rejectionOf(state),
  };
}

function freshnessOf(maxAgeMs: number, updatedAt: number | undefined, now: number): FreshnessView {
  const state = updatedAt === undefined ? "never" : now - updatedAt > maxAgeMs ? "stale" : "fresh";
  return { maxAgeMs, state };
}

function rejectionOf(state: AssetStateRow | undefined): { readonly rejected?: RejectionView } {
  if (!state || state.rejectedAt === undefined || state.rejectedPosition === undefined) return {};
  return {
    rejected: {
      count: state.rejected,
      at: isoTime(state.rejectedAt),
      position: state.rejectedPosition,
      reason: state.rejectedReason ?? "",
      ...(state.rejectedPartition === undefined ? {} : { partition: state.rejectedPartition }),
      ...(state.rejectedRunId === undefined ? {} : { runId: state.rejectedRunId }),
    },
  };
}

/** What is made of what: as assets declare it, and as tasks that write one read others. */
export class Lineage {
  readonly #upstream = new Map<string, Set<string>>();
  readonly #downstream = new Map<string, Set<string>>();
  readonly #writers = new Map<string, Set<string>>();

  constructor(assets: readonly DeployedAsset[], users: readonly AssetUser[]) {
    for (const { definition } of assets)
      for (const { asset } of definition.upstream ?? []) this.#add(asset, definition.name);
    for (const { direction, asset, pipeline } of users)
      if (direction === "write")
        this.#writers.set(asset, (this.#writers.get(asset) ?? new Set<string>()).add(pipeline));
    const byNode = Map.groupBy(users, ({ pipeline, node }) => `${pipeline}\n${node}`);
    for (const uses of byNode.values())
      for (const write of uses)
        for (const read of uses)
          if (write.direction === "write" && read.direction === "read" && read.asset !== write.asset)
            this.#add(read.asset, write.asset);
  }

  writersOf(asset: string): string[] {
    return [...(this.#writers.get(asset) ?? [])].sort();
  }

  upstreamOf(asset: string): string[] {
    return [...(this.#upstream.get(asset) ?? [])].sort();
  }

  downstreamOf(asset: string): string[] {
    return [...(this.#downstream.get(asset) ?? [])].sort();
  }

  #add(from: string, to: string): void {
    for (const [map, key, value] of [
      [this.#upstream, to, from],
      [this.#downstream, from, to],
    ] as const) {
      const found = map.get(key) ?? new Set<string>();
      map.set(key, found.add(value));
    }
  }
}

export function partitionView(row: AssetPartitionRow): AssetPartitionView {
  return {
    ...(row.partition === "" ? {} : { partition: row.partition }),
    updates: row.updates,
    position: row.position,
    ...(row.updatedAt === undefined ? {} : { at: isoTime(row.updatedAt) }),
    ...(row.version === undefined ? {} : { version: row.version }),
    ...(row.isObserved ? { observed: true } : {}),
    ...(row.metadata === undefined ? {} : { metadata: row.metadata }),
    ...(row.revision === undefined ? {} : { revision: row.revision }),
    ...producerOf(row),
  };
}

function producerOf(row: AssetPartitionRow): { readonly producer?: AssetProducerView } {
  const { runId, pipeline, node, item, generation } = row;
  if (runId === undefined) return {};
  return {
    producer: {
      runId,
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(node === undefined ? {} : { node }),
      ...(item === undefined || item === "" ? {} : { item }),
      ...(generation === undefined ? {} : { generation }),
    },
  };
}

/** An entry that tells of an update; nothing for any other. */
export function updateView(event: LogEvent): AssetUpdateView | undefined {
  const fact = assetFactOf(event);
  if (fact?.kind !== "updated") return undefined;
  return {
    position: event.position,
    at: isoTime(event.recordedAt),
    ...(fact.partition === "" ? {} : { partition: fact.partition }),
    version: fact.version ?? "",
    ...(fact.isObserved ? { observed: true } : {}),
    metadata: fact.metadata ?? {},
    ...(fact.revision === undefined ? {} : { revision: fact.revision }),
    ...(fact.run ? { producer: runView(fact.run) } : {}),
    ...(event.invalid === undefined ? {} : { invalid: event.invalid }),
  };
}

function runView({ id, item, ...rest }: AssetProducer): AssetProducerView {
  return { runId: id, ...rest, ...(item === "" ? {} : { item }) };
}

export function useView(row: AssetUseRow): AssetUseView {
  return {
    direction: row.direction,
    node: row.node,
    item: row.item,
    generation: row.generation,
    asset: row.asset,
    ...(row.partition === "" ? {} : { partition: row.partition }),
    ...(row.position === undefined ? {} : { position: row.position }),
    ...(row.version === undefined ? {} : { version: row.version }),
    at: isoTime(row.at),
  };
}
