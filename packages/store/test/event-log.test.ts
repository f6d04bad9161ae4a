/** What the event log does over weeks: partitions, retention, lists by time. The engine's part has a conformance suite. */
import { eventRow, liveRun, testDatabase, type TestDatabase } from "@millrace/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyBatch } from "../src/engine/flush-batch.ts";
import { type EngineStore, type EventRow } from "../src/engine/port.ts";
import { openPostgresEngineStore } from "../src/engine/postgres-engine-store.ts";
import { listEvents, type EventFilter } from "../src/queries/events.ts";
import { blobsInUse, keepPartitions, sweepRecords } from "../src/queries/maintenance.ts";
import { findWaitsOfEvent } from "../src/queries/waits.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1, 12);
const never = new AbortController().signal;

async function writer(db: TestDatabase): Promise<{
  store: EngineStore;
  append: (at: number, ...events: EventRow[]) => Promise<void>;
}> {
  const store = openPostgresEngineStore(db.database);
  const { nodeId } = await store.registerNode({
    name: "a",
    url: undefined,
    version: "1",
    leaseMs: 1_000_000,
  });
  let number = 0;
  return {
    store,
    append: async (at, ...events) => {
      number += 1;
      await store.flush(nodeId, number, { ...emptyBatch(), events, clocks: [{ workspace: 1, at }] });
    },
  };
}

function filter(parts: Partial<EventFilter> = {}): EventFilter {
  return {
    type: undefined,
    subject: undefined,
    source: undefined,
    onlyInvalid: false,
    since: undefined,
    until: undefined,
    after: 0,
    before: undefined,
    limit: 1_000,
    ...parts,
  };
}

describe("entries of forty days", () => {
  let db: TestDatabase;
  const ids = async (parts: Partial<EventFilter>): Promise<string[]> =>
    (await listEvents(db.database, 1, filter(parts))).map(({ id }) => id);

  beforeAll(async () => {
    db = await testDatabase();
    const { append } = await writer(db);
    const asset = { type: "millrace.asset.updated", source: "/lake" };
    for (let day = 0; day < 40; day += 1) {
      const now = start + day * dayMs;
      if (day % 2 === 0) await keepPartitions(db.database, { now, retentionDays: 1_000 });
      await append(now, eventRow(`d${day}`, { subject: day % 10 === 0 ? "tenth" : undefined }));
      await append(
        now + 3_600_000,
        eventRow(`w${day}`, { ...asset, invalid: day % 20 === 19 ? "why" : undefined }),
      );
    }
  }, 60_000);
  afterAll(() => db.drop());

  test("are listed newest first over all classes and days", async () => {
    const all = await ids({});
    expect(all.length).toBe(80);
    expect(all.slice(0, 4)).toEqual(["w39", "d39", "w38", "d38"]);
    expect(await ids({ limit: 3 })).toEqual(["w39", "d39", "w38"]);
  });

  test("are listed by their type, or by how it begins", async () => {
    const updates = await ids({ type: "millrace.asset.updated" });
    expect(updates.length).toBe(40);
    expect(await ids({ type: "millrace.*" })).toEqual(updates);
    expect(await ids({ type: "millrace.a" })).toEqual([]);
    expect((await ids({ type: "*" })).length).toBe(80);
  });

  test("are filtered by what they are", async () => {
    expect(await ids({ subject: "tenth" })).toEqual(["d30", "d20", "d10", "d0"]);
    expect(await ids({ type: "millrace.asset.updated", limit: 2 })).toEqual(["w39", "w38"]);
    expect(await ids({ source: "/lake", subject: "tenth" })).toEqual([]);
  });

  test("are found by when they were recorded, to the millisecond", async () => {
    const noon = start + 20 * dayMs;
    expect(await ids({ since: noon, until: noon + dayMs })).toEqual(["w20", "d20"]);
    expect(await ids({ since: noon + 1, until: noon + dayMs + 1 })).toEqual(["d21", "w20"]);
    expect(await ids({ until: start })).toEqual([]);
    expect(await ids({ until: start + 1 })).toEqual(["d0"]);
    expect(await ids({ since: start + 39 * dayMs + 3_600_000 })).toEqual(["w39"]);
    expect(await ids({ since: start + 100 * dayMs })).toEqual([]);
  });

  test("are asked for alone where they are invalid", async () => {
    expect(await ids({ onlyInvalid: true })).toEqual(["w39", "w19"]);
    expect(await ids({ onlyInvalid: true, until: start + 20 * dayMs })).toEqual(["w19"]);
  });

  test("are found between positions", async () => {
    expect(await ids({ after: 76 })).toEqual(["w39", "d39", "w38", "d38"]);
    expect(await ids({ before: 5 })).toEqual(["w1", "d1", "w0", "d0"]);
    expect(await ids({ after: 40, before: 43 })).toEqual(["w20", "d20"]);
  });
});

test("a partition for each class and day; what was kept long enough goes, by class", async () => {
  await using db = await testDatabase();
  const { store, append } = await writer(db);
  const made = await keepPartitions(db.database, { now: start, retentionDays: 30 });
  expect(made.made).toEqual(expect.arrayContaining(["event_log_short_20260101", "event_log_audit_20260104"]));
  const types = ["millrace.worker.lost", "order.placed", "millrace.asset.updated", "millrace.trigger.paused"];
  for (const [at, type] of types.entries())
    await append(
      start,
      eventRow(`e${at}`, { type, data: at === 1 ? { blob: "b1", bytes: 9 } : { value: null } }),
    );
  const left = async (days: number): Promise<string[]> => {
    const now = start + days * dayMs;
    await keepPartitions(db.database, { now, retentionDays: 30 });
    await sweepRecords(db.database, { now, retentionDays: 30 }, never);
    const { events, until } = await store.readLog(1, 0, 100);
    expect(until).toBe(4);
    return events.map(({ id }) => id);
  };
  expect(await blobsInUse(db.database, ["b1", "b2"])).toEqual(new Set(["b1"]));
  expect(await left(3)).toEqual(["e0", "e1", "e2", "e3"]);
  expect(await left(4)).toEqual(["e1", "e2", "e3"]);
  expect(await left(31)).toEqual(["e2", "e3"]);
  expect(await blobsInUse(db.database, ["b1"])).toEqual(new Set());
  expect(await left(181)).toEqual(["e3"]);
  // Its name is known for as long as any event is kept.
  await append(start + 200 * dayMs, eventRow("e0", { type: types[0]! }));
  expect((await store.logHead(1)).position).toBe(4);
  expect(await left(401)).toEqual([]);
  await left(402);
  await append(start + 403 * dayMs, eventRow("e0"));
  const page = await store.readLog(1, 0, 2);
  expect([page.events, page.until, page.head.position]).toEqual([[], 4, 5]);
  expect((await store.readLog(1, 4, 2)).events.map(({ id }) => id)).toEqual(["e0"]);
});

test("the value of a firing is in use for as long as the firing is there", async () => {
  await using db = await testDatabase();
  const store = openPostgresEngineStore(db.database);
  const { nodeId } = await store.registerNode({
    name: "a",
    url: undefined,
    version: "1",
    leaseMs: 1_000_000,
  });
  const firing = {
    workspace: 1,
    pipeline: "p",
    version: 1,
    key: "",
    occurrence: 1,
    revision: 1,
    at: start,
    position: 1,
    interval: undefined,
    members: [],
    runId: "r1",
    reason: undefined,
    value: { blob: "b1", bytes: 20_000 },
  };
  await store.flush(nodeId, 1, {
    ...emptyBatch(),
    runsCreated: [liveRun("r1", { firing: firing.value })],
    firings: [firing],
    cursors: [{ shard: 1, position: 1 }],
  });
  expect(await blobsInUse(db.database, ["b1", "b2"])).toEqual(new Set(["b1"]));
});

test("which waits an event ended is known for as long as history is, and longer of a run that is not over", async () => {
  await using db = await testDatabase();
  const store = openPostgresEngineStore(db.database);
  const { nodeId } = await store.registerNode({
    name: "a",
    url: undefined,
    version: "1",
    leaseMs: 1_000_000,
  });
  const wait = {
    workspace: 1,
    position: 7,
    node: "w",
    item: "",
    generation: 1,
    name: "",
    occurrence: 1,
    endedAt: start,
  };
  await store.flush(nodeId, 1, {
    ...emptyBatch(),
    runsCreated: [liveRun("r1")],
    waitMembers: [
      { ...wait, runId: "r1" },
      { ...wait, runId: "r2", endedAt: start + 1 },
      // One that is told again after a crash.
      { ...wait, runId: "r2", endedAt: start + 1 },
    ],
  });
  const ended = async (): Promise<string[]> =>
    (await findWaitsOfEvent(db.database, 1, { position: 7, limit: 10 })).map(({ runId }) => runId);
  expect(await findWaitsOfEvent(db.database, 1, { position: 8, limit: 10 })).toEqual([]);
  const sweep = async (days: number): Promise<void> => {
    await sweepRecords(db.database, { now: start + days * dayMs, retentionDays: 30 }, never);
  };
  await sweep(30);
  expect(await ended()).toEqual(["r1", "r2"]);
  await sweep(31);
  expect(await ended()).toEqual(["r1"]);
});
