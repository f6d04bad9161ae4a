/** Rules of what probes look at: rows change with the flush that tells of them, and who wants a thing overwrites nothing of it. */
import { strict as assert } from "node:assert";
import { unseenProbe } from "@millrace/core";
import { emptyBatch, type ProbeRow, type ProbeWanted, type WaitRow } from "@millrace/store";
import { flusher, rowTime } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

const thing = { workspace: 1, id: "report/1" };

function probeRow(parts: Partial<ProbeRow> = {}): ProbeRow {
  return { ...unseenProbe, ...thing, shard: 3, name: "report", args: { day: 1 }, nextAt: rowTime, ...parts };
}

function wanted(parts: Partial<ProbeWanted> = {}): ProbeWanted {
  return { ...thing, shard: 3, name: "report", args: { day: 1 }, nextAt: rowTime, ...parts };
}

export const engineStoreProbeRules: { readonly [name: string]: EngineStoreRule } = {
  "a thing's row is what its last flush says": async ({ store, other }) => {
    const { flush } = await flusher(store);
    assert.equal(await store.loadProbe(thing), undefined);
    await flush({ probesWanted: [wanted()] });
    assert.deepEqual(await other.loadProbe(thing), probeRow());
    const row = probeRow({
      looks: 4,
      changes: 2,
      fingerprint: "f",
      value: { size: 1 },
      changedAt: rowTime,
      seenAt: rowTime,
      lookedAt: rowTime + 1,
      failures: 1,
      error: { code: "MILLRACE_PROBE_FAILED", message: "It is gone." },
    });
    await flush({ probes: [row, probeRow({ id: "report/2" }), probeRow({ workspace: 2 })] });
    assert.deepEqual(await other.loadProbe(thing), row);
  },

  "whoever wants a thing wakes one that rests, and changes no other": async ({ store }) => {
    const { flush } = await flusher(store);
    const seen = { looks: 1, fingerprint: "f", value: 5, seenAt: rowTime, lookedAt: rowTime };
    await flush({ probes: [probeRow(seen)] });
    await flush({ probesWanted: [wanted({ nextAt: rowTime + 5 })] });
    assert.equal((await store.loadProbe(thing))?.nextAt, rowTime);
    await flush({
      probes: [probeRow({ ...seen, nextAt: undefined })],
      probesWanted: [wanted({ nextAt: rowTime + 5 })],
    });
    assert.deepEqual(await store.loadProbe(thing), probeRow({ ...seen, nextAt: rowTime + 5 }));
  },

  "a node finds those of its shards that are looked at": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({
      probes: [
        probeRow(),
        probeRow({ id: "rests", nextAt: undefined }),
        probeRow({ id: "elsewhere", shard: 4 }),
      ],
    });
    assert.deepEqual(
      (await store.loadLookingProbes([3, 5])).map(({ id }) => id),
      ["report/1"],
    );
  },

  "a wait that joins says from where on it finds changes by itself": async ({ store, other }) => {
    const { flush } = await flusher(store);
    const wait: WaitRow = {
      id: 7,
      workspace: 1,
      shard: 3,
      runId: "r1",
      node: "w",
      item: "",
      generation: 1,
      name: "",
      occurrence: 1,
      condition: "{}",
      state: undefined,
      beganAt: rowTime,
      toldTo: 5,
      timeoutAt: undefined,
      dueAt: undefined,
      matchKeys: ["11"],
      approval: undefined,
      end: undefined,
    };
    const joins: WaitRow = { ...wait, id: 8, name: "joins", joinsAfter: 4 };
    await flush({ waits: [wait, joins] });
    assert.deepEqual((await other.findWaits([3], ["11"], undefined, 10)).waits, [wait, joins]);
    const change = { id: 8, state: "{}", toldTo: 9, dueAt: undefined, end: undefined, endedKeys: [] };
    await flush({ waitsChanged: [change] });
    const [, changed] = (await other.findWaits([3], ["11"], undefined, 10)).waits;
    assert.deepEqual(changed, { ...joins, state: "{}", toldTo: 9 });
  },

  "a failing thing says why": async ({ store }) => {
    const { nodeId } = await flusher(store);
    const batch = { ...emptyBatch(), probes: [probeRow({ failures: 1 })] };
    const error = await store.flush(nodeId, 1, batch).then(
      () => assert.fail("it was taken"),
      (thrown: unknown) => thrown,
    );
    assert.equal(store.isPoison(error), true, String(error));
  },
};
