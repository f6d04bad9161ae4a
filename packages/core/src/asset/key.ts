/** Whether a key names a partition of an asset. */
import type { PartitionsDefinition } from "../partition/definition.ts";

/** Why `key` is none of these partitions' (`null`: the whole asset), in words; nothing when it is one. */
export function keyFault(
  partitions: PartitionsDefinition | undefined,
  key: string | null,
): string | undefined {
  if (!partitions)
    return key === null ? undefined : `the asset has no partitions, and found the key ${JSON.stringify(key)}`;
  if (key === null) return "the asset has partitions, and the update names none";
  return undefined;
}
