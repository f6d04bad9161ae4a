/** Rules of `EngineStore` about triggers: their rows, their firings, positions, and the outbox (E1, E4). */
import { strict as assert } from "node:assert";
import { parseTrigger, type Json } from "@millrace/core";
import { emptyBatch, type FiringRow, type TriggerKeyRow, type TriggerRow } from "@millrace/store";
import { eventRow, flusher, key, liveRun, logFlusher, rowTime, why } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

const definition = parseTrigger({
  condition: { kind: "count", of: { kind: "event", type: "order.placed" }, n: 2 },
});

function triggerRow(pipeline: string, parts: Partial<TriggerRow> = {}): TriggerRow {
  return {
    workspace: 1,
    pipeline,
    shard: 3,
    version: 1,
    definition,
    activated: { position: 7, recordedAt: rowTime + 0.25 },
    paused: undefined,
    ...parts,
  };
}

function keyRow(pipeline: string, name: string, parts: Partial<TriggerKeyRow> = {}): TriggerKeyRow {
  return {
    workspace: 1,
    pipeline,
    key: name,
    shard: 3,
    state: { of: {}, count: 1 },
    firings: 7,
    dueAt: undefined,
    touchedAt: rowTime,
    ...parts,
  };
}

function firingRow(pipeline: string, runId: string | undefined, parts: Partial<FiringRow> = {}): FiringRow {
  return {
    workspace: 1,
    pipeline,
    version: 1,
    key: "",
    occurrence: 9,
    revision: 1,
    at: rowTime + 0.5,
    position: 9,
    interval: undefined,
    members: [
      { kind: "event", operand: "order.placed", position: 8, recordedAt: rowTime },
      { kind: "tick", operand: "schedule", from: rowTime - 1_000, at: rowTime },
    ],
    runId,
    reason: runId === undefined ? why : undefined,
    value: runId === undefined ? undefined : { value: { isFired: true } },
    ...parts,
  };
}

const cursor = (position: number, shard = 3): { shard: number; position: number } => ({ shard, position });
const keysOf = (rows: readonly TriggerKeyRow[]): string[] => rows.map((row) => row.key);

export const engineStoreTriggerRules: { readonly [name: string]: EngineStoreRule } = {
  "a shard that has no triggers has a position": async ({ store }) => {
    assert.deepEqual(await store.loadTriggers([3, 4]), {
      triggers: [],
      keys: [],
      cursors: [cursor(0), cursor(0, 4)],
    });
    assert.deepEqual(await store.loadTriggers([]), { triggers: [], keys: [], cursors: [] });
  },

  "triggers are loaded by shard as they were flushed, with the states of those without keys": async ({
    store,
    other,
  }) => {
    const { flush } = await flusher(store);
    const paused = triggerRow("b", { paused: { position: 8, recordedAt: rowTime + 1 }, version: 3 });
    const gone = triggerRow("c", { definition: undefined });
    await flush({
      triggers: [triggerRow("a"), paused, gone, triggerRow("d", { shard: 4 })],
      triggerKeys: [
        keyRow("a", "", { dueAt: rowTime + 5.125, touchedAt: rowTime + 0.5 }),
        keyRow("b", "k1"),
        keyRow("d", "", { shard: 4 }),
      ],
      cursors: [cursor(9), cursor(9, 4)],
    });
    const loaded = await other.loadTriggers([3]);
    assert.deepEqual(
      loaded.triggers.toSorted((a, b) => (a.pipeline < b.pipeline ? -1 : 1)),
      [triggerRow("a"), paused, gone],
    );
    assert.deepEqual(loaded.keys, [keyRow("a", "", { dueAt: rowTime + 5.125, touchedAt: rowTime + 0.5 })]);
    assert.deepEqual(loaded.cursors, [cursor(9)]);
  },

  "rows of triggers and keys are replaced by their names": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({
      triggers: [triggerRow("a", { paused: { position: 8, recordedAt: rowTime } })],
      triggerKeys: [keyRow("a", "k", { dueAt: rowTime })],
      cursors: [cursor(9)],
    });
    const state = { of: {}, count: 0 };
    await flush({
      triggers: [triggerRow("a", { version: 2 })],
      triggerKeys: [keyRow("a", "k", { state, firings: 8 }), keyRow("a", "l")],
      cursors: [cursor(10)],
    });
    assert.deepEqual((await store.loadTriggers([3])).triggers, [triggerRow("a", { version: 2 })]);
    assert.deepEqual(await store.loadTriggerKeys(1, [{ pipeline: "a", key: "k" }]), [
      keyRow("a", "k", { state, firings: 8 }),
    ]);
  },

  "keys are found by pipeline and key": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({
      triggers: [triggerRow("a"), triggerRow("b")],
      triggerKeys: [keyRow("a", "k"), keyRow("a", "l"), keyRow("b", "k"), keyRow("b", 'odd "\\,{}\n')],
      cursors: [cursor(9)],
    });
    const names = [
      { pipeline: "a", key: "l" },
      { pipeline: "b", key: 'odd "\\,{}\n' },
      { pipeline: "b", key: "nobody" },
    ];
    assert.deepEqual(keysOf(await store.loadTriggerKeys(1, names)).toSorted(), ["l", 'odd "\\,{}\n']);
    assert.deepEqual(await store.loadTriggerKeys(2, names), []);
    assert.deepEqual(await store.loadTriggerKeys(1, []), []);
  },

  "keys of one trigger are loaded those that were touched last first": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({
      triggers: [triggerRow("a"), triggerRow("b"), triggerRow("c")],
      triggerKeys: [
        keyRow("a", "old", { touchedAt: rowTime - 1 }),
        keyRow("a", "new", { touchedAt: rowTime + 1 }),
        keyRow("a", "between", { touchedAt: rowTime }),
        keyRow("b", "other"),
        keyRow("c", ""),
      ],
      cursors: [cursor(9)],
    });
    assert.deepEqual(keysOf(await store.loadKeysOf(1, "a", 9)), ["new", "between", "old"]);
    assert.deepEqual(keysOf(await store.loadKeysOf(1, "a", 2)), ["new", "between"]);
    assert.deepEqual(await store.loadKeysOf(2, "a", 9), []);
    assert.deepEqual(await store.loadKeysOf(1, "c", 9), []);
  },

  "keys of an earlier version go before those of the next are written": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({
      triggers: [triggerRow("a"), triggerRow("b")],
      triggerKeys: [
        keyRow("a", "k", { dueAt: rowTime }),
        keyRow("a", "old", { dueAt: rowTime }),
        keyRow("b", "k"),
      ],
      cursors: [cursor(9)],
    });
    await flush({
      triggers: [triggerRow("a", { version: 2 })],
      triggerKeysGone: [{ workspace: 1, pipeline: "a" }],
      triggerKeys: [keyRow("a", "k", { firings: 20, dueAt: rowTime + 1 })],
      cursors: [cursor(20)],
    });
    assert.deepEqual(await store.loadDueTriggerKeys([3], rowTime + 9, 9), [
      keyRow("a", "k", { firings: 20, dueAt: rowTime + 1 }),
    ]);
    const names = ["k", "old"].map((name) => ({ pipeline: "a", key: name }));
    assert.deepEqual(keysOf(await store.loadTriggerKeys(1, names)), ["k"]);
    assert.deepEqual(keysOf(await store.loadTriggerKeys(1, [{ pipeline: "b", key: "k" }])), ["k"]);
  },

  "keys that are due are loaded the earliest first, of the shards that are asked for": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({
      triggers: [triggerRow("a"), triggerRow("d", { shard: 4 })],
      triggerKeys: [
        keyRow("a", "late", { dueAt: rowTime + 3 }),
        keyRow("a", "soon", { dueAt: rowTime + 1 }),
        keyRow("a", "then", { dueAt: rowTime + 2 }),
        keyRow("a", "never"),
        // That of a trigger without keys is in memory anyway.
        keyRow("a", "", { dueAt: rowTime }),
        keyRow("d", "other", { dueAt: rowTime, shard: 4 }),
      ],
      cursors: [cursor(9), cursor(9, 4)],
    });
    assert.deepEqual(keysOf(await store.loadDueTriggerKeys([3], rowTime + 2, 9)), ["soon", "then"]);
    assert.deepEqual(keysOf(await store.loadDueTriggerKeys([3, 4], rowTime + 9, 2)), ["other", "soon"]);
    assert.deepEqual(await store.loadDueTriggerKeys([5], rowTime + 9, 2), []);
  },

  "a position never goes back": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({ cursors: [cursor(9), cursor(4, 4)] });
    await flush({ cursors: [cursor(5), cursor(6, 4)] });
    assert.deepEqual((await store.loadTriggers([3, 4])).cursors, [cursor(9), cursor(6, 4)]);
  },

  "the run of the newest earlier revision of a firing that has one is found": async ({ store, other }) => {
    const { flush } = await flusher(store);
    const runs = ["r1", "r2", "r4", "v2", "k", "o"];
    await flush({
      runsCreated: runs.map((id) => liveRun(id)),
      firings: [
        firingRow("a", "r1"),
        firingRow("a", "r2", { revision: 2 }),
        firingRow("a", undefined, { revision: 3 }),
        firingRow("a", "r4", { revision: 4 }),
        firingRow("a", "v2", { version: 2 }),
        firingRow("a", "k", { key: "other" }),
        firingRow("a", "o", { occurrence: 10 }),
      ],
      cursors: [cursor(9)],
    });
    const before = (revision: number, more: Partial<FiringRow> = {}): Promise<string | undefined> =>
      other.revisedRun(1, { ...firingRow("a", undefined), revision, ...more });
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((revision) => before(revision))), [
      undefined,
      "r1",
      "r2",
      "r2",
      "r4",
    ]);
    assert.equal(await before(2, { version: 2 }), "v2");
    assert.equal(await before(5, { version: 3 }), "v2");
    assert.equal(await before(2, { version: 22 }), "v2");
    assert.equal(await before(2, { version: 23 }), undefined);
    assert.equal(await before(2, { pipeline: "b" }), undefined);
    assert.equal(await other.revisedRun(2, { ...firingRow("a", undefined), revision: 2 }), undefined);
  },

  "a firing and its run are one flush": async ({ store, firings }) => {
    const { flush } = await flusher(store);
    await flush({
      runsCreated: [liveRun("r1", { pipeline: "a", firing: { value: { isFired: true } } })],
      triggers: [triggerRow("a")],
      firings: [firingRow("a", "r1"), firingRow("a", undefined, { occurrence: 10 })],
      cursors: [cursor(9)],
    });
    assert.deepEqual(await firings(), [
      { name: "a 1  9 1", runId: "r1" },
      { name: "a 1  10 1", runId: undefined },
    ]);
    assert.equal((await store.loadRun(key("r1")))?.run.pipeline, "a");
  },

  "a second firing of one identity is refused as poison, with all of its flush": async ({
    store,
    firings,
  }) => {
    const { flush, nodeId } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1")], firings: [firingRow("a", "r1")], cursors: [cursor(9)] });
    const batch = {
      ...emptyBatch(),
      runsCreated: [liveRun("r2"), liveRun("r3")],
      triggerKeys: [keyRow("a", "k")],
      firings: [firingRow("a", "r2"), firingRow("a", "r3", { key: "other" })],
      cursors: [cursor(10)],
    };
    const error = await store.flush(nodeId, 2, batch).then(
      () => assert.fail("it was taken"),
      (thrown: unknown) => thrown,
    );
    assert.equal(store.isPoison(error), true, String(error));
    assert.deepEqual(
      (await firings()).map(({ runId }) => runId),
      ["r1"],
    );
    assert.equal(await store.loadRun(key("r2")), undefined);
    assert.deepEqual((await store.loadTriggers([3])).cursors, [cursor(9)]);
    assert.deepEqual(await store.loadTriggerKeys(1, [{ pipeline: "a", key: "k" }]), []);
    // Another version, key, occurrence or revision is another firing.
    for (const [at, other] of [{ version: 2 }, { key: "k" }, { occurrence: 8 }, { revision: 2 }].entries()) {
      const runId = `r${at + 4}`;
      await flush({
        runsCreated: [liveRun(runId)],
        firings: [firingRow("a", runId, other)],
        cursors: [cursor(10)],
      });
    }
    assert.equal((await firings()).length, 5);
  },

  "a firing has a run or a reason": async ({ store }) => {
    const { nodeId } = await flusher(store);
    for (const wrong of [firingRow("a", undefined, { reason: undefined })]) {
      const batch = { ...emptyBatch(), firings: [wrong], cursors: [cursor(9)] };
      const error = await store.flush(nodeId, 1, batch).then(
        () => assert.fail("it was taken"),
        (thrown: unknown) => thrown,
      );
      assert.equal(store.isPoison(error), true, String(error));
    }
  },

  "a run is loaded with what fired it, also its next generation": async ({ store, other }) => {
    const { flush, nodeId } = await flusher(store);
    const odd: Json = {
      'nul \u0000, half of a pair \ud800, quote " and \\u0000': ["\u0000", "\udfff", null, 1e-7],
    };
    const small = { value: odd };
    const large = { blob: "abc", bytes: 20_000 };
    const end = { state: "succeeded", reason: undefined, output: undefined, endedAt: rowTime } as const;
    await flush({
      runsCreated: [liveRun("r1", { firing: small }), liveRun("r2", { firing: large }), liveRun("r3")],
      triggers: [triggerRow("p")],
      triggerKeys: [keyRow("p", "k", { state: odd })],
      firings: [
        firingRow("p", "r1", { value: small }),
        firingRow("p", "r2", { value: large, occurrence: 10 }),
      ],
      cursors: [cursor(9)],
    });
    assert.deepEqual((await other.loadRun(key("r1")))?.run.firing, small);
    // How large a blob is stands with the blob.
    assert.equal((await other.loadRun(key("r2")))?.run.firing?.blob, "abc");
    assert.equal((await other.loadRun(key("r3")))?.run.firing, undefined);
    const loaded = await other.loadShards(nodeId, [1]);
    const values = loaded.runs.map(({ id, firing }) => [id, firing?.blob ?? firing?.value]);
    assert.deepEqual(Object.fromEntries(values), { r1: odd, r2: "abc", r3: undefined });
    assert.deepEqual((await other.loadTriggerKeys(1, [{ pipeline: "p", key: "k" }]))[0]?.state, odd);
    await flush({ runsEnded: [{ ...key("r1"), ...end, hasMoreRows: false }] });
    await flush({ runsCreated: [liveRun("r1", { generation: 2, firing: small })] });
    assert.deepEqual((await other.loadRun(key("r1")))?.run.firing, small);
    assert.equal((await other.loadRun(key("r1")))?.run.generation, 2);
  },

  "the outbox is read the oldest first, and its rows leave with the flush that takes them": async ({
    store,
    other,
    putOutbox,
  }) => {
    const { nodeId, append } = await logFlusher(store);
    const subjects = ["a", "b", "c"];
    for (const subject of subjects)
      await putOutbox({ type: "millrace.trigger.paused", subject, data: { n: "\u0000" } });
    const rows = await other.loadOutbox(9);
    assert.deepEqual(
      rows.map(({ subject, type, data, workspace }) => ({ subject, type, data, workspace })),
      subjects.map((subject) => ({
        subject,
        type: "millrace.trigger.paused",
        data: { n: "\u0000" },
        workspace: 1,
      })),
    );
    assert.deepEqual(await other.loadOutbox(2), rows.slice(0, 2));
    const ids = rows.map(({ id }) => id);
    const refused = { ...emptyBatch(), outboxTaken: ids, runsCreated: [liveRun("r1", { generation: 0 })] };
    await assert.rejects(store.flush(nodeId, 1, refused));
    assert.deepEqual(await other.loadOutbox(9), rows);
    await append([eventRow("outbox/1")], rowTime, { outboxTaken: [ids[1]!, 999] });
    assert.deepEqual(await other.loadOutbox(9), [rows[0], rows[2]]);
  },

  "single entries are read by position": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a"), eventRow("b"), eventRow("c")]);
    const ids = (await store.readEntries(1, [3, 1, 99])).map(({ id, position }) => `${position} ${id}`);
    assert.deepEqual(ids.toSorted(), ["1 a", "3 c"]);
    assert.deepEqual(await store.readEntries(2, [1]), []);
    assert.deepEqual(await store.readEntries(1, []), []);
  },

  "the time in which no node lived is told, to all nodes that began after it": async ({
    store,
    other,
    expireLease,
  }) => {
    const before = await flusher(store);
    assert.equal(await store.lastOutage(before.nodeId), undefined);
    await expireLease(before.nodeId, 60_000);
    const first = await flusher(store);
    const outage = await store.lastOutage(first.nodeId);
    assert.ok(outage && outage.to - outage.from >= 60_000 && outage.to - outage.from < 120_000);
    const second = await flusher(other);
    assert.deepEqual(await other.lastOutage(second.nodeId), outage);
    // One that dies while another lives leaves no gap.
    await expireLease(first.nodeId, 0);
    assert.equal(await other.lastOutage(second.nodeId), undefined);
  },
};
