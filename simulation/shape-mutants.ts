/** Faults of the shapes of waits, which go when no wait has them. */
import { WaitShapes } from "@millrace/server";
import { shardCount } from "@millrace/store";
import { nothing, patch, withBatch, type Mutant } from "./mutant.ts";

const allShards = Array.from({ length: shardCount }, (_, shard) => shard);

export const shapeMutants: readonly Mutant[] = [
  {
    name: "shapes forgotten beside their waits",
    breaks: "a shape goes when no wait has it (J9)",
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      unusedKeyRanges: async (ranges) => {
        await store.unusedKeyRanges(ranges);
        return ranges.map((_, at) => at);
      },
    }),
  },
  {
    name: "shapes forgotten under new waits",
    breaks: "a wait that is placed while its shape is asked about keeps it (J9)",
    apply: () =>
      patch(
        WaitShapes,
        "nextToLookAt",
        (original) =>
          function (...values) {
            const page = original.apply(this, values) as object[];
            for (const known of page)
              Object.defineProperty(known, "isUsed", { get: () => false, set: () => {} });
            return page;
          },
      ),
    // The answer takes its time: some of them are placed meanwhile.
    wrapStore: (store) => ({
      ...store,
      unusedKeyRanges: async (ranges) => {
        const unused = await store.unusedKeyRanges(ranges);
        for (let way = 0; way < 300; way += 1) await store.hasOldWaits(1);
        return unused;
      },
    }),
  },
  {
    name: "shapes forgotten in rows alone",
    breaks: "a shape that is placed again has a row again (J9)",
    apply: () => patch(WaitShapes, "forget", () => () => undefined),
  },
  {
    name: "shapes forgotten for other servers",
    breaks: "a shard's owner alone removes its rows of shapes (J9)",
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        waitShapesGone: batch.waitShapesGone.map((gone) => ({ ...gone, shards: allShards })),
      })),
  },
];
