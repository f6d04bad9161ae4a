import { shardCount } from "@millrace/store";

/** The shard of an entity that is found by its name (FNV-1a, 32 bits). It is stored with the entity's rows. */
export function shardOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) {
    hash ^= char.codePointAt(0)!;
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % shardCount;
}
