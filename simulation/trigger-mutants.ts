/** Faults of triggers and their gates. */
import type { FlushBatch } from "@millrace/store";
import { nothing, withBatch, type Mutant } from "./mutant.ts";

export const triggerMutants: readonly Mutant[] = [
  {
    name: "states without positions",
    breaks: "states of triggers and the position in the log change in one flush (X1)",
    apply: nothing,
    wrapStore: (store) => withBatch(store, (batch) => ({ ...batch, cursors: [] })),
  },
  {
    name: "keys of another version",
    breaks: "a version that begins knows nothing of the states of the one before (C3 of the design)",
    apply: nothing,
    wrapStore: (store) => withBatch(store, (batch) => ({ ...batch, triggerKeysGone: [] })),
  },
  {
    name: "time before the log",
    breaks: "time is told only as far as no earlier entry can come (X3)",
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      readLog: async (workspace, after, limit) => {
        const page = await store.readLog(workspace, after, Math.min(limit, 3));
        return { ...page, head: { ...page.head, position: page.until } };
      },
    }),
  },
  {
    name: "runs after firings",
    breaks: "a firing and its run are made in one flush (X1)",
    apply: nothing,
    wrapStore: (store) => {
      let late: FlushBatch["runsCreated"] = [];
      return withBatch(store, (batch) => {
        const fired = batch.runsCreated.filter(({ firing }) => firing !== undefined);
        const others = batch.runsCreated.filter(({ firing }) => firing === undefined);
        const runsCreated = [...others, ...late];
        late = fired;
        return { ...batch, runsCreated };
      });
    },
  },
  {
    name: "a gate that nobody leaves",
    breaks: "what waits starts when a run of its trigger ends (K1)",
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        firingChanges: batch.firingChanges.filter(({ gate, reason }) => gate !== undefined || reason),
      })),
  },
  {
    name: "a gate that counts nobody",
    breaks: "no more runs start than have a slot while others wait (K4)",
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      loadGate: async (ask) => ({ ...(await store.loadGate(ask)), active: [] }),
    }),
  },
  {
    name: "a gate that is told later",
    breaks: "what stands at a gate changes in the flush that moves its trigger's position (Y5)",
    apply: nothing,
    wrapStore: (store) => {
      let late: FlushBatch["firingChanges"] = [];
      return withBatch(store, (batch) => {
        const firingChanges = late;
        late = batch.firingChanges;
        return { ...batch, firingChanges };
      });
    },
  },
  {
    name: "members of the first alone",
    breaks: "a run has the members of all firings that were merged into its own, in their order (M1)",
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      loadFiringMembers: async (key, page) => store.loadFiringMembers(key, { ...page, limit: 1 }),
    }),
  },
];
