/** Faults of moves to other bundles. */
import { RunMoves } from "@millrace/server";
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
