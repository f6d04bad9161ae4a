/** Reading sources in memory, as `packages/store/src/engine/source-statements.ts` does. */
import type { RememberedThing } from "@millrace/core";
import type { SourceName, SourceReads, ThingRow } from "@millrace/store";
import { thingKey } from "./memory-flush.ts";
import { keyOf, type MemoryTables } from "./memory-tables.ts";

export function memorySources(tables: MemoryTables): SourceReads {
  const thingsOf = ({ workspace, source }: SourceName): ThingRow[] =>
    [...tables.things.values()].filter((row) => row.workspace === workspace && row.source === source);
  return {
    loadSource: async ({ workspace, source }) => tables.sources.get(keyOf(workspace, source)),
    recallThings: async (source, keys) =>
      [...new Set(keys)].flatMap((key) => {
        const row = tables.things.get(thingKey({ ...source, key }));
        return row ? [rememberedOf(row)] : [];
      }),
    recallPage: async (source, { after, limit }) =>
      thingsOf(source)
        .filter(({ key }) => byBytes(key, after) > 0)
        .sort((a, b) => byBytes(a.key, b.key))
        .slice(0, limit)
        .map(rememberedOf),
    countThings: async (source) => thingsOf(source).length,
  };
}

function rememberedOf({ key, fingerprint, version }: ThingRow): RememberedThing {
  return { key, fingerprint, version };
}

/** As PostgreSQL's collation "C" orders UTF-8. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
