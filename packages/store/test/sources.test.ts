/** Sources as operators see them, and how long what they remember is kept. */
import type { FileSource } from "@millrace/core";
import { testDatabase, type TestDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { emptyBatch } from "../src/engine/flush-batch.ts";
import { openPostgresEngineStore } from "../src/engine/postgres-engine-store.ts";
import type { SourceRow } from "../src/engine/source-port.ts";
import { putBundle } from "../src/queries/bundles.ts";
import { changeDeployment } from "../src/queries/deployments.ts";
import { sweepRecords } from "../src/queries/maintenance.ts";
import { deployedSources, listSources, setSourcePaused } from "../src/queries/sources.ts";

const start = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

function landing(name = "landing"): FileSource {
  return {
    kind: "files",
    name,
    folder: "in",
    glob: "**",
    ignore: [],
    protocol: "rename",
    type: "file.arrived",
    rescanMs: 60_000,
  };
}

function rowOf(name: string, parts: Partial<SourceRow> = {}): SourceRow {
  return {
    workspace: 1,
    name,
    shard: 1,
    place: "in",
    events: 1,
    lastEventAt: start,
    state: "running",
    changedAt: start,
    detail: undefined,
    error: undefined,
    ...parts,
  };
}

async function deploy(db: TestDatabase, number: number, sources: readonly FileSource[]): Promise<void> {
  await putBundle(db.database, { hash: "b", manifest: {}, code: "", map: "" }, start);
  const definition = { project: "p", pipelines: [], pools: {}, queues: [], sources };
  const change = {
    workspace: 1,
    project: "p",
    number,
    bundle: "b",
    definition,
    now: start,
    news: [],
    paused: [],
    isNew: true,
  };
  await changeDeployment(db.database, { workspace: 1, project: "p", names: [] }, async () => ({
    answer: undefined,
    change,
  }));
}

/** Each with one thing that it remembers. */
async function write(db: TestDatabase, rows: readonly SourceRow[]): Promise<void> {
  const store = openPostgresEngineStore(db.database);
  const { nodeId } = await store.registerNode({ name: "a", url: undefined, version: "1", leaseMs: 10_000 });
  await store.flush(nodeId, 1, {
    ...emptyBatch(),
    sources: [...rows],
    thingsRemembered: rows.map(({ workspace, name }) => ({
      workspace,
      source: name,
      key: "a",
      fingerprint: "1",
      version: 1,
      toldAt: start,
    })),
  });
}

test("sources of active deployments are listed, with what is known of them; a pause stands before and after", async () => {
  await using db = await testDatabase();
  await deploy(db, 1, [landing("old"), landing()]);
  await deploy(db, 2, [landing("waits"), landing()]);
  await setSourcePaused(db.database, 1, { name: "waits", shard: 1, paused: true, now: start });
  await write(db, [rowOf("landing"), rowOf("old")]);
  await setSourcePaused(db.database, 1, { name: "landing", shard: 1, paused: true, now: start });
  const listed = await listSources(db.database, 1);
  expect(
    listed.map(({ definition, paused, things, row }) => [definition.name, paused, things, row?.state]),
  ).toEqual([
    ["landing", true, 1, "running"],
    ["waits", true, 0, "stopped"],
  ]);
  await setSourcePaused(db.database, 1, { name: "landing", shard: 1, paused: false, now: start });
  expect((await deployedSources(db.database, 1)).map(({ paused }) => paused)).toEqual([false, true]);
  expect(await listSources(db.database, 2)).toEqual([]);
});

test("what a source remembers goes when no deployment has had it for the retention, and its numbers stay", async () => {
  await using db = await testDatabase();
  const store = openPostgresEngineStore(db.database);
  await deploy(db, 1, [landing()]);
  const error = { code: "MILLRACE_FOLDER_MISSING", message: "It is gone.", advice: "Make it." };
  await write(db, [rowOf("landing"), rowOf("gone", { state: "failing", error })]);
  const remembered = async (days: number): Promise<number[]> => {
    const when = { now: start + days * dayMs, retentionDays: 30 };
    await sweepRecords(db.database, when, new AbortController().signal);
    return Promise.all(["landing", "gone"].map((source) => store.countThings({ workspace: 1, source })));
  };
  // From the first sweep on that finds it deployed no more.
  expect(await remembered(100)).toEqual([1, 1]);
  expect(await remembered(129)).toEqual([1, 1]);
  expect(await remembered(131)).toEqual([1, 0]);
  expect(await store.loadSource({ workspace: 1, source: "gone" })).toMatchObject({
    state: "stopped",
    events: 1,
  });
});
