/**
 * Pictures of partitions are kept: one of 20,000 windows takes 0.3 s to make, and a list of assets shows many.
 *
 * P1: one holds until the asset is updated again, another definition is deployed, or its next window is over. Which keys are known
 *     without an update shows nowhere else, so where keys become known as they are told, it is made anew each time.
 */
import {
  expectedKeys,
  partitionPicture,
  partitionsOf,
  type AssetDefinition,
  type PartitionPicture,
  type PartitionsDefinition,
} from "@millrace/core";
import { listAssetKeys, type AssetStateRow } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { inTurns } from "./in-turns.ts";
import { assetPicturesMax } from "./limits.ts";

interface Kept {
  readonly of: string;
  /** ms since 1970. */
  readonly until: number;
  readonly picture: Promise<PartitionPicture>;
}

const kept = new WeakMap<ApiContext, Map<string, Kept>>();

export interface PictureAsk {
  readonly definition: AssetDefinition;
  readonly lane: string;
  /** As it was read before. */
  readonly state: AssetStateRow | undefined;
  /** Partitions that are looked at, the newest. */
  readonly keysMax: number;
}

/** What an asset has of its partitions; nothing for one that has none. */
export async function pictureOf(context: ApiContext, ask: PictureAsk): Promise<PartitionPicture | undefined> {
  const { definition, lane, state, keysMax } = ask;
  const { name, partitions } = definition;
  if (!partitions) return undefined;
  if (hasDynamicKeys(partitions)) return makePicture(context, partitions, ask);
  const pictures = kept.get(context) ?? new Map<string, Kept>();
  kept.set(context, pictures);
  const key = `${keysMax}\n${lane}\n${name}`;
  const of = `${state?.updates ?? 0}/${JSON.stringify(partitions)}`;
  const now = context.host.engine.now();
  const found = pictures.get(key);
  if (found?.of === of && now < found.until) return found.picture;
  const picture = makePicture(context, partitions, ask);
  pictures.delete(key);
  pictures.set(key, { of, until: endOfWindow(partitions, now), picture });
  if (pictures.size > assetPicturesMax) pictures.delete(pictures.keys().next().value!);
  try {
    return await picture;
  } catch (error) {
    if (pictures.get(key)?.picture === picture) pictures.delete(key);
    throw error;
  }
}

function hasDynamicKeys(partitions: PartitionsDefinition): boolean {
  if (partitions.kind !== "tuple") return partitions.kind === "dynamic";
  return Object.values(partitions.of).some(({ kind }) => kind === "dynamic");
}

/** Then there is one more that should be there. */
function endOfWindow(partitions: PartitionsDefinition, now: number): number {
  const { windows } = partitionsOf(partitions);
  if (!windows) return Number.POSITIVE_INFINITY;
  // None has begun, or all are over.
  return windows.at(now)?.to ?? now + 60_000;
}

async function makePicture(
  { clock, database, host }: ApiContext,
  partitions: PartitionsDefinition,
  { definition, lane, keysMax }: PictureAsk,
): Promise<PartitionPicture> {
  const wanted = { asset: definition.name, lane, limit: keysMax };
  const rows = await listAssetKeys(database, workspaceId, wanted);
  const keys = new Map(rows.map(({ partition, isWritten }) => [partition, isWritten]));
  const known = { keys, isCut: rows.length === keysMax };
  const expected = await inTurns(clock, expectedKeys(partitions, host.engine.now(), keysMax));
  return inTurns(clock, partitionPicture(expected, known, partitions));
}
