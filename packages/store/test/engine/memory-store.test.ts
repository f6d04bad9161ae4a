import { engineStoreConformance, MemoryEngineDatabase, storedAssets } from "@millrace/testkit";
import { describe, test } from "vitest";

describe("the engine's store in memory", () => {
  const cases = engineStoreConformance(async () => {
    const database = new MemoryEngineDatabase({ now: () => 1_800_000_000_000 });
    return {
      store: database.connect(),
      other: database.connect(),
      expireLease: async (nodeId, agoMs) => database.expireLease(nodeId, agoMs),
      holdFlush: async (nodeId, number, batch) => {
        const flush = await database.beginFlush(nodeId, number, batch);
        if (flush === "fenced") throw new Error("the flush to be held was refused");
        return {
          commit: async () => void flush.commit(),
          rollback: async () => flush.rollback(),
        };
      },
      settled: () => new Promise((resolve) => setImmediate(resolve)),
      history: async (runId) => ({
        runs: [...database.tables.runHistory.values()]
          .filter((run) => run.id === runId)
          .map(({ generation, state, output, endedAt }) => ({
            generation,
            state,
            output: output?.value ?? null,
            endedAt,
          })),
        taskRuns: [...database.tables.taskRunHistory.values()].filter((row) => row.runId === runId).length,
        attempts: [...database.tables.attemptHistory.values()].filter((row) => row.runId === runId).length,
      }),
      firings: async () =>
        [...database.tables.firings.values()]
          .toSorted((a, b) => a.version - b.version || a.occurrence - b.occurrence)
          .map(({ pipeline, version, key, occurrence, revision, runId }) => ({
            name: [pipeline, version, key, occurrence, revision].join(" "),
            runId,
          })),
      assets: async () => storedAssets(database.tables),
      putOutbox: async (news) => {
        const id = database.tables.outbox.size + 1;
        database.tables.outbox.set(id, { id, workspace: 1, ...news });
      },
      dispose: async () => {},
    };
  });
  test.each(cases)("$name", async (rule) => rule.run());
});
