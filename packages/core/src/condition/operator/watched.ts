/** What the atoms over assets see of the log: updates and progress of the assets that they listen to. */
import { assetProgressType, assetUpdatedType } from "../../partition/asset-event.ts";
import { compilePartitionMapping, type CompiledMapping, type PartitionKey } from "../../partition/mapping.ts";
import { compilePartitions, type Partitions } from "../../partition/partitions.ts";
import { parseEventTime } from "../../event/time.ts";
import type { Json, Path } from "../../json.ts";
import type { WatchedAsset } from "../condition.ts";
import type { ConditionEvent } from "../condition-event.ts";
import type { Match } from "../match.ts";

/** An asset of an atom. */
export interface Watched {
  readonly asset: string;
  readonly operand: string;
  readonly partitions: Partitions | undefined;
  /** To the atom's target; absent where it has none, or where nothing of the asset maps to it. */
  readonly mapping: CompiledMapping | undefined;
  /** It is an update of this asset that counts. */
  isUpdate(event: ConditionEvent): boolean;
  /** It is a progress of this asset. */
  isProgress(event: ConditionEvent): boolean;
}

/** Whether the mapping is of the essence: `reached` also listens to assets whose partitions are no windows. */
export function mappingOf(
  watched: WatchedAsset,
  target: Partitions | undefined,
  path: Path,
): CompiledMapping {
  const from = watched.partitions && compilePartitions(watched.partitions);
  return compilePartitionMapping(watched.mapping, from, target, path);
}

export const updateType = assetUpdatedType;
export const progressType = assetProgressType;

/** The key of an update's partition in its one spelling: `undefined` where the asset has no such partition. */
export function updatedKey(watched: Watched, event: ConditionEvent): PartitionKey | undefined {
  const partition = memberOf(event.data, "partition") ?? null;
  const { partitions } = watched;
  if (partition === null) return partitions ? undefined : null;
  if (typeof partition !== "string" || !partitions) return undefined;
  const read = partitions.read(partition);
  return read.fault === undefined ? read.key : undefined;
}

/** How far a progress says that the asset is complete. */
export function progressOf(event: ConditionEvent): number | undefined {
  const until = memberOf(event.data, "until");
  return typeof until === "string" ? parseEventTime(until) : undefined;
}

export function matchOf(watched: Watched, { position, recordedAt }: ConditionEvent): Match {
  const member = { kind: "event" as const, operand: watched.operand, position, recordedAt };
  return { from: recordedAt, to: recordedAt, members: [member] };
}

function memberOf(data: Json, name: string): Json | undefined {
  if (data === null || typeof data !== "object" || Array.isArray(data)) return undefined;
  return Object.hasOwn(data, name) ? (data as { readonly [name: string]: Json })[name] : undefined;
}
