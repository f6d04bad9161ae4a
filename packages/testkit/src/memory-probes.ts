/** Reading what probes look at in memory, as `packages/store/src/engine/probe-statements.ts` does. */
import type { ProbeReads } from "@millrace/store";
import { keyOf, type MemoryTables } from "./memory-tables.ts";

export function memoryProbes(tables: MemoryTables): ProbeReads {
  return {
    loadProbe: async ({ workspace, id }) => tables.probes.get(keyOf(workspace, id)),
    positionOfEvent: async ({ workspace, source, id }) =>
      tables.eventIdentities.get(keyOf(workspace, source, id))?.position,
    loadLookingProbes: async (shards) =>
      [...tables.probes.values()].filter((row) => shards.includes(row.shard) && row.nextAt !== undefined),
  };
}
