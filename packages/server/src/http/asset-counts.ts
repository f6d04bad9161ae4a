/**
 * What lists of assets say of partitions: how many are there, and how many are missing.
 *
 * C1: what was worked out holds for as long as the asset's row says the same, its definition is the same, and none of its
 *     windows has ended since. Keys that become known without an update change nothing where all keys are known anyway.
 */
import {
  partitionsOf,
  type AssetDefinition,
  type PartitionPicture,
  type PartitionsDefinition,
} from "@millrace/core";
import type { AssetStateRow } from "@millrace/store";
import type { ApiContext } from "./api-context.ts";
import { pictureOf } from "./asset-view.ts";
import { assetCountsKept } from "./limits.ts";

interface Kept {
  readonly definition: string;
  readonly updates: number;
  /** ms since 1970, the log's clock. */
  readonly until: number;
  readonly counts: PartitionPicture;
}

export class AssetCounts {
  readonly #context: ApiContext;
  readonly #kept = new Map<string, Kept>();

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Without its stretches. Nothing for an asset that has no partitions. */
  async of(
    asset: AssetDefinition,
    lane: string,
    state: AssetStateRow | undefined,
  ): Promise<PartitionPicture | undefined> {
    const { partitions } = asset;
    if (!partitions) return undefined;
    const now = this.#context.host.engine.now();
    const name = `${lane}\n${asset.name}`;
    const definition = JSON.stringify(partitions);
    const updates = state?.updates ?? 0;
    const kept = this.#kept.get(name);
    if (kept && kept.definition === definition && kept.updates === updates && now < kept.until)
      return kept.counts;
    const picture = await pictureOf(this.#context, asset, lane);
    if (!picture) return undefined;
    const counts = { ...picture, ranges: [] };
    this.#kept.delete(name);
    const until = holdsUntil(partitions, now);
    if (until > now) this.#keep(name, { definition, updates, until, counts });
    return counts;
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.set(name, kept);
    if (this.#kept.size <= assetCountsKept) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** When time alone changes it. */
function holdsUntil(definition: PartitionsDefinition, now: number): number {
  if (hasUnknownKeys(definition)) return now;
  const { windows } = partitionsOf(definition);
  if (!windows) return Number.POSITIVE_INFINITY;
  return windows.at(now)?.to ?? now;
}

function hasUnknownKeys(definition: PartitionsDefinition): boolean {
  if (definition.kind === "dynamic") return true;
  return definition.kind === "tuple" && Object.values(definition.of).some(hasUnknownKeys);
}
