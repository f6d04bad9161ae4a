/** What is kept of assets over months, and what lists of them give. The engine's part has a conformance suite. */
import { assetEntry, type AssetDefinition, type ProjectDefinition } from "@millrace/core";
import { liveRun, testDatabase, type TestDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { emptyBatch, type FlushBatch } from "../src/engine/flush-batch.ts";
import { type EventRow } from "../src/engine/port.ts";
import { openPostgresEngineStore } from "../src/engine/postgres-engine-store.ts";
import {
  findAssetPartitions,
  listAssetKeys,
  listAssetPartitions,
  listAssets,
  listAssetStates,
  listAssetUsers,
  listAssetUses,
} from "../src/queries/assets.ts";
import { putBundle } from "../src/queries/bundles.ts";
import { changeDeployment } from "../src/queries/deployments.ts";
import { listFirings } from "../src/queries/triggers.ts";
import { sweepRecords } from "../src/queries/maintenance.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1, 12);
const never = new AbortController().signal;
const regions: AssetDefinition = { name: "regions", tags: [], partitions: { kind: "dynamic" } };

async function writer(db: TestDatabase): Promise<(at: number, parts: Partial<FlushBatch>) => Promise<void>> {
  const store = openPostgresEngineStore(db.database);
  const { nodeId } = await store.registerNode({
    name: "a",
    url: undefined,
    version: "1",
    leaseMs: 1_000_000,
  });
  let number = 0;
  return async (at, parts) => {
    number += 1;
    await store.flush(nodeId, number, { ...emptyBatch(), clocks: [{ workspace: 1, at }], ...parts });
  };
}

function update(id: string, asset: string, partition?: string, runId?: string): EventRow {
  const report = {
    kind: "updated",
    asset,
    partition,
    version: undefined,
    isObserved: false,
    metadata: {},
  } as const;
  const draft = assetEntry(report, {
    id,
    lane: "live",
    definition: asset === "regions" ? regions : { name: asset, tags: [] },
    version: id,
    now: Date.UTC(2026, 0, 1),
    ...(runId === undefined ? {} : { run: { id: runId, pipeline: "p", node: "n", item: "", generation: 1 } }),
  });
  return { ...draft, workspace: 1, dataText: undefined };
}

async function deploy(db: TestDatabase, number: number, parts: Partial<ProjectDefinition>): Promise<void> {
  const definition = { project: "main", pipelines: [], pools: {}, queues: [], ...parts };
  const wanted = { workspace: 1, project: "main", names: [] };
  await putBundle(db.database, { hash: "b", manifest: {}, code: "", map: "" }, start);
  await changeDeployment(db.database, wanted, async () => ({
    answer: undefined,
    change: { ...wanted, number, bundle: "b", definition, now: start, news: [], paused: [], isNew: true },
  }));
}

test("what was told of a declared asset stays; of others it goes with the entries, and lineage with its run", async () => {
  await using db = await testDatabase();
  const flush = await writer(db);
  await deploy(db, 1, { assets: [regions] });
  await flush(start, {
    runsCreated: [liveRun("live")],
    events: [update("a", "regions", "eu", "ended"), update("b", "gone", undefined, "live")],
  });
  const left = async (days: number): Promise<unknown> => {
    await sweepRecords(db.database, { now: start + days * dayMs, retentionDays: 30 }, never);
    const states = await listAssetStates(db.database, 1, { lane: "live", asset: undefined, limit: 9 });
    const keys = await Promise.all(
      ["regions", "gone"].map((asset) => listAssetKeys(db.database, 1, { asset, lane: "live", limit: 9 })),
    );
    const uses = await Promise.all(
      ["ended", "live"].map((runId) => listAssetUses(db.database, 1, { runId, limit: 9 })),
    );
    return [
      states.map(({ asset }) => asset),
      keys.map(({ length }) => length),
      uses.map(({ length }) => length),
    ];
  };
  expect(await left(29)).toEqual([
    ["gone", "regions"],
    [1, 1],
    [1, 1],
  ]);
  expect(await left(31)).toEqual([
    ["gone", "regions"],
    [1, 1],
    [0, 1],
  ]);
  expect(await left(179)).toEqual([
    ["gone", "regions"],
    [1, 1],
    [0, 1],
  ]);
  expect(await left(181)).toEqual([["regions"], [1, 0], [0, 1]]);
  await deploy(db, 2, { assets: [] });
  expect(await left(182)).toEqual([[], [0, 0], [0, 1]]);
});

test("partitions are listed by key in pages, and found by their keys", async () => {
  await using db = await testDatabase();
  const flush = await writer(db);
  const keys = ["b", "a", "ä", "B", 'c "\\,'];
  await flush(start, { events: keys.map((key, at) => update(`e${at}`, "regions", key)) });
  const page = { asset: "regions", lane: "live", limit: 2 };
  const inOrder: string[] = [];
  for (let after: string | undefined; ; after = inOrder.at(-1)) {
    const rows = await listAssetPartitions(db.database, 1, { ...page, afterPartition: after });
    if (rows.length === 0) break;
    inOrder.push(...rows.map(({ partition }) => partition));
  }
  expect(inOrder).toEqual(["B", "a", "b", 'c "\\,', "ä"]);
  const found = await findAssetPartitions(db.database, 1, {
    asset: "regions",
    lane: "live",
    partitions: ["ä", "none"],
  });
  expect(
    found.map(({ partition, version, updates, position }) => [partition, version, updates, position]),
  ).toEqual([["ä", "e2", 1, 3]]);
  expect(await listAssetPartitions(db.database, 2, { ...page, afterPartition: undefined })).toEqual([]);
});

test("who writes and reads is what active pipelines declare; assets are those of active deployments", async () => {
  await using db = await testDatabase();
  const node = (id: string, parts: object): object => ({ id, options: {}, ...parts });
  const pipelines = [
    { name: "p", paused: false, nodes: [node("n", { writes: ["x"], reads: ["y", "x"] }), node("m", {})] },
    { name: "q", paused: false, nodes: [node("n", { reads: ["x"] })] },
  ] as never;
  await deploy(db, 1, { pipelines, assets: [regions] });
  const users = async (): Promise<string[]> =>
    (await listAssetUsers(db.database, 1)).map(
      ({ pipeline, node: id, direction, asset }) => `${pipeline}/${id} ${direction} ${asset}`,
    );
  expect((await users()).toSorted()).toEqual(["p/n read x", "p/n read y", "p/n write x", "q/n read x"]);
  expect((await listAssets(db.database, 1)).map(({ definition }) => definition)).toEqual([regions]);
  await deploy(db, 2, { pipelines: [] });
  expect([await users(), await listAssets(db.database, 1)]).toEqual([[], []]);
});

test("a firing is listed with its partition, whatever its members' events hold", async () => {
  await using db = await testDatabase();
  const flush = await writer(db);
  const about = { isFired: true, partition: { key: "2026-01-01", window: null }, incomplete: true };
  const firing = (occurrence: number, more: object): FlushBatch["firings"][number] => ({
    workspace: 1,
    pipeline: "p",
    version: 1,
    key: "",
    occurrence,
    revision: 1,
    at: start + occurrence,
    position: 1,
    interval: undefined,
    members: [],
    runId: `r${occurrence}`,
    reason: undefined,
    value: { value: { ...about, ...more } },
  });
  await flush(start, {
    firings: [firing(1, {}), firing(2, { odd: "nul \u0000" }), firing(3, { odd: "half \ud800" })],
    cursors: [{ shard: 1, position: 1 }],
  });
  const page = { pipeline: "p", key: undefined, before: undefined, limit: 9 };
  const listed = await listFirings(db.database, 1, page);
  expect(listed.map(({ runId, partition, isIncomplete }) => [runId, partition, isIncomplete])).toEqual([
    ["r3", undefined, false],
    ["r2", undefined, false],
    ["r1", "2026-01-01", true],
  ]);
});

test("of more keys than are asked for the last ones are listed, as they are the newest windows", async () => {
  await using db = await testDatabase();
  const flush = await writer(db);
  await deploy(db, 1, { assets: [regions] });
  await flush(start, { events: ["a", "c", "b"].map((key) => update(key, "regions", key)) });
  const listed = await listAssetKeys(db.database, 1, { asset: "regions", lane: "live", limit: 2 });
  expect(listed.map(({ partition }) => partition)).toEqual(["b", "c"]);
});
