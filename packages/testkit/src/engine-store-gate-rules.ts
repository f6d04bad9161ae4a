/** Rules of `EngineStore` about the gates of triggers: firings that wait, start, take others, and leave (E1, E4). */
import { strict as assert } from "node:assert";
import type { Member } from "@millrace/core";
import { emptyBatch, type FiringRow } from "@millrace/store";
import { flusher, key, liveRun, rowTime, why } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

const event = (position: number): Member => ({
  kind: "event",
  operand: "order.placed",
  position,
  recordedAt: 0,
});

function firing(occurrence: number, parts: Partial<FiringRow> = {}): FiringRow {
  return {
    workspace: 1,
    pipeline: "a",
    version: 1,
    key: "",
    occurrence,
    revision: 1,
    at: rowTime + occurrence,
    position: occurrence,
    interval: undefined,
    members: [event(occurrence)],
    runId: `r${occurrence}`,
    reason: undefined,
    value: { value: { members: { "order.placed": { streamed: 1 } } } },
    ...parts,
  };
}

const waiting = { gate: "waiting" } as const;
const cursors = [{ shard: 3, position: 9 }];
const ask = { workspace: 1, pipeline: "a", keys: [], oldest: 9 };
const none = { active: [], waiting: [], hasMore: false };

export const engineStoreGateRules: { readonly [name: string]: EngineStoreRule } = {
  "a gate has the firings that wait, the longest first, and those whose runs are under way": async ({
    store,
    other,
  }) => {
    const { flush } = await flusher(store);
    assert.deepEqual(await store.loadGate(ask), none);
    await flush({
      runsCreated: [liveRun("r1", { pipeline: "a" }), liveRun("r2", { pipeline: "a" })],
      firings: [
        firing(4, waiting),
        firing(3, { ...waiting, causes: "b*2,a*3" }),
        firing(1, { gate: "started" }),
        firing(2),
        firing(5, { ...waiting, pipeline: "other" }),
      ],
      cursors,
    });
    const gate = await other.loadGate(ask);
    assert.deepEqual(gate.active, ["r1"]);
    assert.deepEqual(
      gate.waiting.map(({ runId, at, causes }) => [runId, at, causes]),
      [
        ["r3", rowTime + 3, "b*2,a*3"],
        ["r4", rowTime + 4, undefined],
      ],
    );
    assert.deepEqual(gate.waiting[1]?.value, { members: { "order.placed": { streamed: 1 } } });
    assert.equal(gate.hasMore, false);
    assert.deepEqual(await store.loadGate({ ...ask, workspace: 2 }), none);
  },

  "of many that wait those at hand are the oldest, and the newest of each key that is asked for": async ({
    store,
  }) => {
    const { flush } = await flusher(store);
    const keys = ["x", "y", "x", "z", "y", "x"];
    await flush({
      firings: keys.map((name, at) => firing(at + 1, { ...waiting, key: name })),
      cursors,
    });
    const gate = await store.loadGate({ ...ask, keys: ["x", "y", "nobody"], oldest: 2 });
    assert.deepEqual(
      gate.waiting.map(({ runId }) => runId),
      ["r1", "r2", "r5", "r6"],
    );
    assert.equal(gate.hasMore, true);
    const all = await store.loadGate({ ...ask, oldest: Number.MAX_SAFE_INTEGER });
    assert.deepEqual([all.waiting.length, all.hasMore], [6, false]);
    assert.deepEqual((await store.loadGate({ ...ask, oldest: 6 })).hasMore, false);
  },

  "a firing changes by the name of its run, also in the flush that makes it": async ({ store, other }) => {
    const { flush } = await flusher(store);
    await flush({ firings: [firing(1, waiting), firing(2, waiting)], cursors });
    const run = liveRun("r1", { pipeline: "a", state: "queued" });
    const value = { value: { members: { "order.placed": [] } } };
    await flush({
      runsCreated: [run, liveRun("r3", { pipeline: "a", state: "queued" })],
      firings: [firing(3, waiting)],
      firingChanges: [
        { workspace: 1, runId: "r1", gate: "started", value, causes: "b*1,a*1" },
        { workspace: 1, runId: "r2", gate: undefined, reason: why },
        { workspace: 1, runId: "r3", gate: "started" },
      ],
      cursors,
    });
    assert.deepEqual((await other.loadGate(ask)).active.toSorted(), ["r1", "r3"]);
    assert.deepEqual((await other.loadGate(ask)).waiting, []);
    await flush({
      firingChanges: [{ workspace: 1, runId: "r1", gate: undefined }],
      cursors,
    });
    assert.deepEqual((await other.loadGate(ask)).active, ["r3"]);
  },

  "a fired run is loaded with its causes, and with whether a gate waits for its end": async ({
    store,
    other,
  }) => {
    const { flush } = await flusher(store);
    const fired = { pipeline: "a", firing: { value: { isFired: true } } };
    await flush({
      runsCreated: [
        liveRun("r1", { ...fired, causes: "b*1,a*1", isGated: true }),
        liveRun("r2", { ...fired }),
        liveRun("r3", { parent: { ...parentOf("r1"), causes: "b*1,a*1" } }),
      ],
      firings: [
        firing(1, { gate: "started", causes: "b*1,a*1", value: fired.firing }),
        firing(2, { value: fired.firing }),
      ],
      cursors,
    });
    const read = async (id: string): Promise<unknown[]> => {
      const run = (await other.loadRun(key(id)))?.run;
      return [run?.causes, run?.isGated, run?.parent?.causes];
    };
    assert.deepEqual(await read("r1"), ["b*1,a*1", true, undefined]);
    assert.deepEqual(await read("r2"), [undefined, undefined, undefined]);
    assert.deepEqual(await read("r3"), [undefined, undefined, "b*1,a*1"]);
    await flush({ firingChanges: [{ workspace: 1, runId: "r1", gate: undefined }], cursors });
    assert.deepEqual(await read("r1"), ["b*1,a*1", undefined, undefined]);
  },

  "members of merged firings stand below the run that takes them, in their order": async ({
    store,
    other,
  }) => {
    const { flush } = await flusher(store);
    const silence: Member = { kind: "silence", operand: "absent", from: rowTime, at: rowTime + 5 };
    const tick: Member = { kind: "tick", operand: "schedule", from: rowTime, at: rowTime + 5 };
    const reason = { code: "merged", message: "It was merged." };
    const merged = { runId: undefined, value: undefined, reason };
    await flush({ firings: [firing(1, { ...waiting, members: [event(1), silence] })], cursors });
    await flush({
      firings: [
        firing(2, { ...merged, members: [tick, event(2)], into: { runId: "r1", from: 2 } }),
        firing(3, { ...merged, members: [silence], into: { runId: "r1", from: 4 } }),
      ],
      cursors,
    });
    const all = [event(1), silence, tick, event(2), silence];
    assert.deepEqual(await other.loadFiringMembers(key("r1"), { from: 0, limit: 9 }), all);
    assert.deepEqual(await other.loadFiringMembers(key("r1"), { from: 1, limit: 3 }), all.slice(1, 4));
    assert.deepEqual(await other.loadFiringMembers(key("r2"), { from: 0, limit: 9 }), []);
  },

  "a firing at a gate has a run, and one that was merged has none": async ({ store }) => {
    const { nodeId } = await flusher(store);
    for (const wrong of [
      firing(1, { ...waiting, runId: undefined, reason: why }),
      firing(1, { reason: why, into: { runId: "r0", from: 0 } }),
    ]) {
      const batch = { ...emptyBatch(), firings: [wrong], cursors };
      const error = await store.flush(nodeId, 1, batch).then(
        () => assert.fail("it was taken"),
        (thrown: unknown) => thrown,
      );
      assert.equal(store.isPoison(error), true, String(error));
    }
  },
};

function parentOf(runId: string): NonNullable<ReturnType<typeof liveRun>["parent"]> {
  return { runId, shard: 1, node: "n", item: "", generation: 1, dispatch: 1 };
}
