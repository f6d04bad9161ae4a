/** The key of an asset's partition: whether a text names one, and in which spelling. */
import type { PartitionsDefinition } from "../partition/definition.ts";
import { compilePartitions, type Partitions } from "../partition/partitions.ts";

/** The key (`null`: the whole asset), or why it is none in words. */
export type AssetKey =
  | { readonly key: string | null; readonly fault?: undefined }
  | { readonly fault: string };

const compiled = new WeakMap<PartitionsDefinition, Partitions>();

/** Partitions made executable, once for each definition that is at hand. */
export function partitionsOf(definition: PartitionsDefinition): Partitions {
  const known = compiled.get(definition) ?? compilePartitions(definition);
  compiled.set(definition, known);
  return known;
}

/** What `key` names among these partitions; an asset without any is one piece. */
export function readAssetKey(partitions: PartitionsDefinition | undefined, key: string | null): AssetKey {
  if (!partitions) {
    if (key === null) return { key };
    return { fault: `it has no partitions, and the key ${JSON.stringify(key)} was given` };
  }
  if (key === null) return { fault: "it has partitions, and none is named: neither here nor by the run" };
  const read = partitionsOf(partitions).read(key);
  if (read.fault === undefined) return { key: read.key };
  const { fault, nearest } = read;
  const near = nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  return { fault: `it has no partition ${JSON.stringify(key)}: ${fault}${near}` };
}
