/** Rules of `EngineStore` about assets: what a flush's events make of their rows (A1–A3 of `sql/000008_asset.sql`). */
import { strict as assert } from "node:assert";
import { assetEntry, type AssetDefinition, type AssetTelling, type EntryPlace } from "@millrace/core";
import { emptyBatch, type AssetReadRow, type EventRow } from "@millrace/store";
import { eventRow, flusher, liveRun, logFlusher, rowTime } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

const definitions: { readonly [name: string]: AssetDefinition } = {
  report: { name: "report", tags: [] },
  days: { name: "days", tags: [], partitions: { kind: "static", keys: ["mon", "tue"] } },
  regions: { name: "regions", tags: [], partitions: { kind: "dynamic" } },
};

const producer = { id: "r1", pipeline: "p", node: "build", item: "", generation: 1 };

function entry(id: string, report: AssetTelling, place: Partial<EntryPlace> = {}): EventRow {
  const draft = assetEntry(report, {
    id,
    lane: "live",
    definition: definitions[report.asset],
    version: `version of ${id}`,
    now: rowTime,
    ...place,
  });
  return { ...draft, workspace: 1, dataText: undefined };
}

function updated(
  id: string,
  asset: string,
  parts: Partial<AssetTelling & { kind: "updated" }> = {},
): AssetTelling {
  const metadata = { rows: id.length };
  return {
    kind: "updated",
    asset,
    partition: undefined,
    version: undefined,
    isObserved: false,
    metadata,
    ...parts,
  };
}

const update = (id: string, asset: string, partition?: string, place: Partial<EntryPlace> = {}): EventRow =>
  entry(id, updated(id, asset, { partition }), place);

function read(asset: string, partition: string, parts: Partial<AssetReadRow> = {}): AssetReadRow {
  const by = { runId: "r9", generation: 1, node: "sum", item: "" };
  return { workspace: 1, ...by, lane: "live", asset, partition, at: rowTime + 9, ...parts };
}

export const engineStoreAssetRules: { readonly [name: string]: EngineStoreRule } = {
  "nothing was told of any asset at first": async ({ assets }) => {
    assert.deepEqual(await assets(), { states: [], partitions: [], uses: [] });
  },

  "an update is the asset's last one in the flush that appends it, with who wrote": async ({
    store,
    assets,
  }) => {
    const { append } = await logFlusher(store);
    await append(
      [eventRow("other"), update("u1", "report", undefined, { run: producer, revision: 2 })],
      rowTime + 0.5,
    );
    const at = rowTime + 0.5;
    assert.deepEqual(await assets(), {
      states: [
        {
          asset: "report",
          lane: "live",
          updates: 1,
          update: { position: 2, at, runId: "r1" },
          progress: null,
          rejected: 0,
          rejection: null,
        },
      ],
      partitions: [
        {
          asset: "report",
          lane: "live",
          partition: "",
          updates: 1,
          position: 2,
          at,
          isObserved: false,
          version: "version of u1",
          metadata: { rows: 2 },
          revision: 2,
          runId: "r1",
        },
      ],
      uses: [{ name: "r1 1 build  write report ", position: 2, version: "version of u1", at }],
    });
  },

  "updates of one partition are counted, within a flush and over flushes, and the last one stands": async ({
    store,
    assets,
  }) => {
    const { append } = await logFlusher(store);
    await append([
      update("a", "days", "mon"),
      update("b", "days", "tue"),
      update("c", "days", "mon", { run: producer }),
    ]);
    await append([update("d", "days", "tue")], rowTime + 1);
    const { partitions, states, uses } = await assets();
    assert.deepEqual(
      partitions.map(({ partition, updates, position, version, runId }) => [
        partition,
        updates,
        position,
        version,
        runId,
      ]),
      [
        ["mon", 2, 3, "version of c", "r1"],
        ["tue", 2, 4, "version of d", null],
      ],
    );
    assert.deepEqual(
      [states[0]?.updates, states[0]?.update],
      [4, { position: 4, at: rowTime + 1, runId: null }],
    );
    assert.deepEqual(
      uses.map(({ name, position }) => [name, position]),
      [["r1 1 build  write days mon", 3]],
    );
  },

  "a repeat and another event of the name change nothing, and what is new has its own position": async ({
    store,
    assets,
  }) => {
    const { append } = await logFlusher(store);
    await append([update("a", "days", "mon")]);
    const conflict = entry("a", updated("a", "days", { partition: "tue" }));
    const change = await append([
      update("a", "days", "mon"),
      eventRow("between"),
      update("b", "days", "mon"),
      conflict,
      eventRow("between"),
      update("b", "days", "mon"),
      update("c", "report"),
    ]);
    assert.deepEqual([change.first, change.count, change.others.length], [2, 3, 4]);
    const { partitions, states } = await assets();
    assert.deepEqual(
      partitions.map(({ asset, partition, updates, position }) => [asset, partition, updates, position]),
      [
        ["days", "mon", 2, 3],
        ["report", "", 1, 4],
      ],
    );
    assert.deepEqual(
      states.map(({ asset, updates }) => [asset, updates]),
      [
        ["days", 2],
        ["report", 1],
      ],
    );
  },

  "what does not fit changes no partition and is told of its asset": async ({ store, assets }) => {
    const { append } = await logFlusher(store);
    await append([
      update("a", "nobody", "x", { run: producer }),
      update("b", "days"),
      update("c", "nobody"),
      update("d", "days", "mon"),
    ]);
    const { partitions, states, uses } = await assets();
    assert.deepEqual(
      partitions.map(({ asset, partition }) => [asset, partition]),
      [["days", "mon"]],
    );
    assert.deepEqual(
      states.map(({ asset, updates, rejected, rejection }) => [
        asset,
        updates,
        rejected,
        rejection?.position,
        rejection?.partition,
        rejection?.runId,
      ]),
      [
        ["days", 1, 1, 2, "", null],
        ["nobody", 0, 2, 3, "", null],
      ],
    );
    assert.match(states[1]!.rejection!.reason, /no deployed project/);
    assert.deepEqual(uses, []);
  },

  "progress never goes back": async ({ store, assets }) => {
    const { append } = await logFlusher(store);
    const hours: AssetDefinition = {
      name: "hours",
      tags: [],
      partitions: {
        kind: "time",
        every: { kind: "every", every: { n: 1, unit: "hours" }, tz: "UTC" } as never,
        start: "2026-01-01T00:00:00Z",
      },
    };
    const progress = (id: string, hour: number): EventRow =>
      entry(
        id,
        { kind: "progress", asset: "hours", until: new Date(rowTime + hour * 3_600_000).toISOString() },
        { definition: hours },
      );
    await append([progress("a", 1), progress("b", 3), progress("c", 2)]);
    const first = { until: rowTime + 3 * 3_600_000, position: 2, at: rowTime };
    assert.deepEqual((await assets()).states[0]?.progress, first);
    await append([progress("d", 2), progress("e", 3)], rowTime + 5);
    assert.deepEqual((await assets()).states[0]?.progress, first);
    await append([progress("f", 4)], rowTime + 6);
    const last = { until: rowTime + 4 * 3_600_000, position: 6, at: rowTime + 6 };
    assert.deepEqual((await assets()).states[0]?.progress, last);
    assert.deepEqual((await assets()).partitions, []);
  },

  "a key is known once it is told, and what was written stays": async ({ store, assets }) => {
    const { append } = await logFlusher(store);
    const added = (id: string, partition: string): EventRow =>
      entry(id, { kind: "partition", asset: "regions", partition });
    await append([added("a", "eu"), added("b", "eu"), update("c", "regions", "us"), added("d", "us")]);
    await append([added("e", "us"), update("f", "regions", "eu")], rowTime + 1);
    const { partitions } = await assets();
    assert.deepEqual(
      partitions.map(({ partition, updates, position, at, version }) => [
        partition,
        updates,
        position,
        at,
        version,
      ]),
      [
        ["eu", 1, 6, rowTime + 1, "version of f"],
        ["us", 1, 3, rowTime, "version of c"],
      ],
    );
  },

  "lanes have rows of their own": async ({ store, assets }) => {
    const { append } = await logFlusher(store);
    await append([update("a", "report"), update("b", "report", undefined, { lane: "backfill:7" })]);
    const { partitions, states } = await assets();
    assert.deepEqual(
      states.map(({ lane, updates }) => [lane, updates]),
      [
        ["backfill:7", 1],
        ["live", 1],
      ],
    );
    assert.deepEqual(
      partitions.map(({ lane, position }) => [lane, position]),
      [
        ["backfill:7", 2],
        ["live", 1],
      ],
    );
  },

  "an attempt that begins reads what stands there": async ({ store, assets }) => {
    const { append } = await logFlusher(store);
    await append([
      update("a", "report"),
      entry("k", { kind: "partition", asset: "regions", partition: "eu" }),
    ]);
    await append([], rowTime + 1, {
      assetReads: [
        read("report", ""),
        read("days", "mon"),
        read("regions", "eu"),
        read("report", "", { lane: "replay:1", node: "other" }),
      ],
    });
    const reads = async (): Promise<unknown> =>
      (await assets()).uses.map(({ name, position, version, at }) => [name, position, version, at - rowTime]);
    assert.deepEqual(await reads(), [
      ["r9 1 other  read report ", null, null, 9],
      ["r9 1 sum  read days mon", null, null, 9],
      ["r9 1 sum  read regions eu", null, null, 9],
      ["r9 1 sum  read report ", 1, "version of a", 9],
    ]);
    // The next attempt finds what came meanwhile, and an earlier read of one flush falls behind a later one.
    await append([update("b", "report")], rowTime + 2);
    await append([], rowTime + 3, {
      assetReads: [read("report", "", { at: rowTime + 10 }), read("report", "", { at: rowTime + 11 })],
    });
    assert.deepEqual(((await reads()) as unknown[]).at(-1), [
      "r9 1 sum  read report ",
      3,
      "version of b",
      11,
    ]);
  },

  "reads of a flush without events are written, too": async ({ store, assets }) => {
    const { flush } = await flusher(store);
    await flush({ assetReads: [read("report", "")] });
    assert.equal((await assets()).uses.length, 1);
  },

  "a refused flush changes nothing of assets": async ({ store, assets }) => {
    const { nodeId } = await logFlusher(store);
    const batch = {
      ...emptyBatch(),
      runsCreated: [liveRun("r1", { generation: 0 })],
      events: [update("a", "report")],
      assetReads: [read("report", "")],
      clocks: [{ workspace: 1, at: rowTime }],
    };
    await assert.rejects(store.flush(nodeId, 1, batch));
    assert.deepEqual(await assets(), { states: [], partitions: [], uses: [] });
  },

  "odd texts of metadata, versions and keys are stored as they are": async ({ store, assets }) => {
    const { append } = await logFlusher(store);
    const metadata = { 'quote " \\ {},': ["nul \u0000", "half \ud800", null, 1e-7] };
    const key = 'a "b" \\c, {d} (e)';
    await append([
      entry("a", updated("a", "regions", { partition: key, version: 'Grüße, "v" \\', metadata })),
    ]);
    const [row] = (await assets()).partitions;
    assert.deepEqual([row?.partition, row?.version, row?.metadata], [key, 'Grüße, "v" \\', metadata]);
  },
};
