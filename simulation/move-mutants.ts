/** Faults of moves to other bundles. */
import { activeRunHolder, LimitHost, RunMoves } from "@millrace/server";
import { nothing, patch, type Mutant } from "./mutant.ts";

export const moveMutants: readonly Mutant[] = [
  {
    name: "moved without a rehearsal",
    breaks:
      "a function that has recorded something is moved only if it comes to the same with the other code (M2)",
    parts: ["moves"],
    apply: () =>
      patch(
        RunMoves,
        "receive",
        (original) =>
          function (...values) {
            const [message, ...rest] = values as unknown as [object, ...unknown[]];
            return original.apply(this, [
              { ...message, rehearsed: { some: () => true } },
              ...rest,
            ] as never[]);
          },
      ),
  },
  {
    name: "moved with its slot",
    breaks: "what is moved to where its pipeline has no limit gives its slot back (M3)",
    parts: ["moves"],
    apply: () => {
      // Nothing of a run is in memory while it is moved: what is released in its name is released by the move.
      const moving = new Set<string>();
      const moves = patch(
        RunMoves,
        "receive",
        (original) =>
          async function (...values) {
            const [message] = values as unknown as [{ readonly runId: string; readonly generation: number }];
            const holder = activeRunHolder({ ...message, id: message.runId });
            moving.add(holder);
            await original.apply(this, values);
            moving.delete(holder);
          },
      );
      const limits = patch(
        LimitHost,
        "release",
        (original) =>
          function (...values) {
            const [, holder] = values as unknown as [unknown, string];
            return moving.has(holder) ? undefined : original.apply(this, values);
          },
      );
      return () => {
        moves();
        limits();
      };
    },
  },
  {
    name: "moved and not noticed",
    breaks: "what is moved goes on with the bundle that its row names",
    parts: ["moves"],
    apply: nothing,
    wrapStore: (store) => {
      const bundles = new Map<string, string>();
      return {
        ...store,
        loadRun: async (key) => {
          const loaded = await store.loadRun(key);
          if (!loaded) return loaded;
          const name = `${loaded.run.id}/${loaded.run.generation}`;
          const bundle = bundles.get(name) ?? loaded.run.bundle;
          bundles.set(name, bundle);
          return { ...loaded, run: { ...loaded.run, bundle } };
        },
      };
    },
  },
];
