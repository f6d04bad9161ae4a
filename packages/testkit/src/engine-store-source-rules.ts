/** Rules of sources: their rows and their memory change with the flush that tells their events. */
import { strict as assert } from "node:assert";
import { emptyBatch, type SourceRow, type ThingRow } from "@millrace/store";
import { eventRow, flusher, liveRun, logFlusher, rowTime } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

const landing = { workspace: 1, source: "landing" };

function sourceRow(parts: Partial<SourceRow> = {}): SourceRow {
  return {
    workspace: 1,
    name: "landing",
    shard: 3,
    place: "data/in",
    events: 0,
    lastEventAt: undefined,
    state: "running",
    changedAt: rowTime,
    detail: undefined,
    error: undefined,
    ...parts,
  };
}

function thing(key: string, parts: Partial<ThingRow> = {}): ThingRow {
  return { ...landing, key, fingerprint: "1-1", version: 1, toldAt: rowTime, ...parts };
}

export const engineStoreSourceRules: { readonly [name: string]: EngineStoreRule } = {
  "a source's row is what its last flush says": async ({ store, other }) => {
    const { flush } = await flusher(store);
    assert.equal(await store.loadSource(landing), undefined);
    await flush({ sources: [sourceRow({ state: "starting" })] });
    const error = { code: "MILLRACE_FOLDER_MISSING", message: "It is gone.", advice: "Make it." };
    const detail = { settling: 1, waiting: 2, things: 3, scan: { at: rowTime, tookMs: 4 } };
    const row = sourceRow({ state: "failing", error, detail, events: 7, lastEventAt: rowTime, place: "x" });
    await flush({ sources: [row, sourceRow({ name: "other" }), sourceRow({ workspace: 2 })] });
    assert.deepEqual(await other.loadSource(landing), row);
  },

  "a failing source says why, and no other does": async ({ store }) => {
    const { nodeId } = await flusher(store);
    const batch = { ...emptyBatch(), sources: [sourceRow({ state: "failing" })] };
    const error = await store.flush(nodeId, 1, batch).then(
      () => assert.fail("it was taken"),
      (thrown: unknown) => thrown,
    );
    assert.equal(store.isPoison(error), true, String(error));
  },

  "things are remembered with the events that tell them, or not at all": async ({ store, other }) => {
    const { nodeId, append } = await logFlusher(store);
    await append([eventRow("1")], rowTime, {
      sources: [sourceRow({ events: 1 })],
      thingsRemembered: [thing("a")],
    });
    const refused = {
      ...emptyBatch(),
      sources: [sourceRow({ events: 2 })],
      thingsRemembered: [thing("a", { version: 2 }), thing("b")],
      thingsForgotten: [{ ...landing, key: "a" }],
      runsCreated: [liveRun("r1", { generation: 0 })],
    };
    await assert.rejects(store.flush(nodeId, 2, refused));
    const before = [{ key: "a", fingerprint: "1-1", version: 1 }];
    assert.deepEqual(await other.recallThings(landing, ["a", "b"]), before);
    assert.equal((await other.loadSource(landing))?.events, 1);
  },

  "what is remembered is found by its key, page by page in the order of bytes, and counted": async ({
    store,
    other,
  }) => {
    const { flush } = await flusher(store);
    const keys = ["z", "a/b", "a", "Z", "a\nb", "ä", "\u{1f600}", "\uffee", 'quo"te\\'];
    const sources = [sourceRow()];
    const others = [thing("a", { source: "other" }), thing("a", { workspace: 2 })];
    await flush({ sources, thingsRemembered: [...keys.map((key) => thing(key)), ...others] });
    const order = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.equal(await other.countThings(landing), keys.length);
    const page = async (after: string, limit: number): Promise<string[]> =>
      (await other.recallPage(landing, { after, limit })).map(({ key }) => key);
    assert.deepEqual(await page("", 100), order);
    assert.deepEqual(await page(order[3]!, 2), order.slice(4, 6));
    assert.deepEqual((await other.recallThings(landing, ["ä", "nope", "a\nb"])).length, 2);
    assert.deepEqual(await other.recallThings(landing, []), []);
  },

  "a thing is replaced, forgotten one by one, and all of a source at once": async ({ store }) => {
    const { flush } = await flusher(store);
    const sources = [sourceRow()];
    await flush({ sources, thingsRemembered: [thing("a"), thing("b"), thing("c", { source: "other" })] });
    await flush({
      sources,
      thingsForgotten: [
        { ...landing, key: "b" },
        { ...landing, key: "nope" },
      ],
      thingsRemembered: [thing("a", { fingerprint: "2-2", version: 2 })],
    });
    const all = { after: "", limit: 9 };
    assert.deepEqual(await store.recallPage(landing, all), [{ key: "a", fingerprint: "2-2", version: 2 }]);
    await flush({ sources, sourcesForgotten: [landing], thingsRemembered: [thing("new")] });
    assert.deepEqual(
      (await store.recallPage(landing, all)).map(({ key }) => key),
      ["new"],
    );
    assert.equal(await store.countThings({ ...landing, source: "other" }), 1);
  },

  "waiting messages of a shard are counted up to a bound": async ({ store }) => {
    const message = { kind: "outbox" };
    await store.sendInbox([1, 1, 1, 2].map((shard) => ({ shard, message })));
    assert.equal(await store.countPending(1, 10), 3);
    assert.equal(await store.countPending(1, 2), 2);
    assert.equal(await store.countPending(5, 2), 0);
  },
};
