/** What the engine relies on where it reads history to make a run's next generation. */
import { strict as assert } from "node:assert";
import type { EngineStore } from "@millrace/store";
import type { ConformanceCase } from "./conformance.ts";
import { flusher, liveRun, rowTime, runChange, taskRunRow, why } from "./engine-rows.ts";
import type { MemoryArchive } from "./memory-archive.ts";

export interface RunArchiveUnderTest {
  readonly store: EngineStore;
  readonly archive: MemoryArchive;
  dispose(): Promise<void>;
}

/** Each case gets an empty database from `makeSubject`. */
export function runArchiveConformance(makeSubject: () => Promise<RunArchiveUnderTest>): ConformanceCase[] {
  return Object.entries(rules).map(([name, rule]) => ({
    name,
    run: async () => {
      const subject = await makeSubject();
      try {
        await rule(subject);
      } finally {
        await subject.dispose();
      }
    },
  }));
}

const ends = (endedAt: number) => ({
  workspace: 1,
  id: "r1",
  state: "failed" as const,
  reason: why,
  output: undefined,
  endedAt,
  hasMoreRows: true,
});
const done = (node: string, item: string, parts: Parameters<typeof taskRunRow>[2]) =>
  taskRunRow("r1", node, { item, state: "succeeded", endedAt: rowTime + 3, ...parts });

/** Two ended generations of `r1`: the second keeps `a` and runs two items of `b` again. */
async function twoGenerations(store: EngineStore): Promise<void> {
  const { flush } = await flusher(store);
  const first = { generation: 1, output: { value: "first" } };
  await flush({
    runsCreated: [liveRun("r1")],
    taskRuns: [done("a", "", first), done("b", "0", first), done("b", "1", first)],
  });
  await flush({ runsEnded: [ends(rowTime + 5)] });
  const second = { generation: 2, output: { value: "second" } };
  await flush({
    runsCreated: [liveRun("r1", { generation: 2, bundle: "b2", shard: 7 })],
    taskRuns: [done("a", "", { ...first, carried: true }), done("b", "0", second), done("b", "1", second)],
  });
  await flush({ runsEnded: [ends(rowTime + 9)] });
}

const rules: { readonly [name: string]: (subject: RunArchiveUnderTest) => Promise<void> } = {
  "a run is found as it is: live, else its newest generation": async ({ store, archive }) => {
    assert.equal(await archive.findRun("r1"), undefined);
    await twoGenerations(store);
    assert.deepEqual(pick(await archive.findRun("r1")), ["failed", 2, "b2", 7]);
    const { flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1", { generation: 3, state: "queued", startedAt: undefined })] });
    assert.deepEqual(pick(await archive.findRun("r1")), ["queued", 3, "b1", 1]);
  },

  "rows of ended generations come newest first for each node and item, without what they put out": async ({
    store,
    archive,
  }) => {
    await twoGenerations(store);
    const found = await archive.findRunRows("r1");
    assert.deepEqual([found.live, found.ended.map(({ generation }) => generation)], [undefined, [2, 1]]);
    const rowsOf = (node: string, item: string) =>
      found.endedTaskRuns
        .filter((row) => row.node === node && row.item === item)
        .map(({ generation, state, output, carried }) => [generation, state, output, carried]);
    assert.deepEqual(rowsOf("a", ""), [[1, "succeeded", { value: null }, false]]);
    assert.deepEqual(rowsOf("b", "1"), [
      [2, "succeeded", { value: null }, false],
      [1, "succeeded", { value: null }, false],
    ]);
  },

  "outputs of ended task runs are found by node, item and generation": async ({ store, archive }) => {
    await twoGenerations(store);
    const names = [
      { node: "a", item: "", generation: 1 },
      { node: "b", item: "1", generation: 2 },
      { node: "b", item: "1", generation: 3 },
    ];
    const found = await archive.findOutputs("r1", names);
    assert.deepEqual(
      found
        .map(({ name, output }) => `${name.node} ${name.generation} ${JSON.stringify(output.value)}`)
        .toSorted(),
      ['a 1 "first"', 'b 2 "second"'],
    );
  },

  "a quarantined run moves to history as failed, and what was open in it as cancelled": async ({
    store,
    archive,
  }) => {
    const { flush } = await flusher(store);
    const end = { now: rowTime + 20, openReason: why };
    await flush({
      runsCreated: [liveRun("r1")],
      taskRuns: [done("a", "", { output: { value: 1 } }), taskRunRow("r1", "b")],
    });
    assert.equal(await archive.endQuarantined("r1", end), false);
    assert.equal((await archive.findRun("r1"))?.state, "running");
    await flush({ runsChanged: [runChange("r1", { state: "quarantined", reason: why })] });
    assert.equal(await archive.endQuarantined("r1", end), true);
    assert.equal(await archive.endQuarantined("r1", end), false);
    const { live, ended, endedTaskRuns } = await archive.findRunRows("r1");
    assert.deepEqual(
      [live, ended.map(({ state, reason, endedAt }) => [state, reason, endedAt])],
      [undefined, [["failed", why, end.now]]],
    );
    assert.deepEqual(
      endedTaskRuns.map(({ node, state, endedAt }) => `${node} ${state} ${endedAt}`).toSorted(),
      [`a succeeded ${rowTime + 3}`, `b cancelled ${end.now}`],
    );
  },
};

function pick(run: Awaited<ReturnType<MemoryArchive["findRun"]>>): unknown[] {
  return [run?.state, run?.generation, run?.bundle, run?.shard];
}
