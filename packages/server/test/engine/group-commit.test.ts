import type { FlushBatch } from "@millrace/store";
import { eventRow, keyOf, rowTime } from "@millrace/testkit";
import { expect, test } from "vitest";
import { GroupCommit, type RefusedRows } from "../../src/engine/group-commit.ts";
import { entryOf, memory, settled } from "./bench.ts";

async function start(link: Parameters<typeof memory>[0] = {}) {
  const world = memory(link);
  const { nodeId } = await world.database
    .connect()
    .registerNode({ name: "a", url: undefined, version: "1", leaseMs: 10_000 });
  const refused: RefusedRows[] = [];
  const told: string[] = [];
  const logged: unknown[] = [];
  const written: object[] = [];
  const commit = new GroupCommit({
    store: {
      ...world.store,
      flush: (node, number, batch) => {
        written.push(countsOf(batch));
        return world.store.flush(node, number, batch);
      },
    },
    nodeId,
    clock: world.clock,
    beforeFlush: () => {},
    onFenced: () => told.push("fenced"),
    onLogChanged: (batch, change) => logged.push([batch.events.map(({ id }) => id), change.first]),
    onPoison: (rows) => refused.push(rows),
    onStoreTrouble: (error) => told.push(error === undefined ? "back" : "trouble"),
  });
  const flushes = (): number => world.database.tables.nodes.get(nodeId)!.lastFlush;
  return { ...world, nodeId, commit, refused, told, logged, written, flushes };
}

/** How many rows of each kind, of those that there are. */
function countsOf(batch: FlushBatch): object {
  const counts = Object.entries(batch).map(([kind, rows]: [string, unknown[]]) => [kind, rows.length]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0)) as object;
}

const lost = (): Error => Object.assign(new Error("gone"), { code: "ECONNRESET" });

test("what is decided in one turn is one flush, and callbacks follow its commit", async () => {
  const { commit, database, flushes } = await start();
  const seen: boolean[] = [];
  for (const id of ["r1", "r2", "r3"]) commit.markRun(entryOf(id));
  commit.afterCommit(() => seen.push(database.tables.runs.size === 3));
  await settled();
  expect(seen).toEqual([true]);
  expect(flushes()).toBe(1);
});

test("a request right after the last flush ended is not lost", async () => {
  const { commit, database } = await start();
  commit.markRun(entryOf("r1"));
  // Each microtask after the commit is a chance to fall between two flushes.
  commit.afterCommit(() => {
    let turn = Promise.resolve();
    for (let at = 0; at < 8; at += 1) turn = turn.then(() => commit.markRun(entryOf(`later${at}`)));
  });
  await settled();
  expect(database.tables.runs.size).toBe(9);
  expect(commit.backlog).toBe(0);
});

test("callbacks without rows need no flush and no number", async () => {
  const { commit, flushes, told } = await start();
  await commit.drained();
  commit.markRun(entryOf("r1"));
  await commit.drained();
  await commit.drained();
  commit.markRun(entryOf("r2"));
  await commit.drained();
  expect(flushes()).toBe(2);
  expect(told).toEqual([]);
});

test("a database that reads but does not write is in trouble until it writes, and is tried less and less often", async () => {
  let tries = 0;
  let isFull = true;
  const { commit, database, manual, told } = await start({
    request: (statement) => {
      if (statement !== "flush" || !isFull) return;
      tries += 1;
      throw Object.assign(new Error("No space left on device"), { code: "53100" });
    },
  });
  commit.markRun(entryOf("r1"));
  for (let second = 0; second < 60; second += 1) {
    await settled();
    manual.advance(1_000);
  }
  expect(new Set(told)).toEqual(new Set(["trouble"]));
  expect(tries).toBeLessThan(40);
  isFull = false;
  manual.advance(2_000);
  await settled();
  expect(database.tables.runs.size).toBe(1);
  expect(told.at(-1)).toBe("back");
});

test("a flush whose answer was lost is not sent again when it landed", async () => {
  let losses = 1;
  const { commit, database, manual, told, flushes } = await start({
    answer: (statement) => {
      if (statement === "flush" && losses-- > 0) throw lost();
    },
  });
  let committed = false;
  commit.markRun(entryOf("r1"));
  commit.afterCommit(() => (committed = true));
  await settled();
  expect(committed).toBe(false);
  manual.advance(50);
  await settled();
  expect(committed).toBe(true);
  expect([flushes(), database.tables.runs.size, told]).toEqual([1, 1, ["trouble", "back"]]);
});

test("a flush that did not land is sent again under its number", async () => {
  let losses = 1;
  const { commit, manual, flushes, told } = await start({
    request: (statement) => {
      if (statement === "flush" && losses-- > 0) throw lost();
    },
  });
  commit.markRun(entryOf("r1"));
  await settled();
  manual.advance(50);
  await settled();
  expect(flushes()).toBe(1);
  expect(told).not.toContain("fenced");
});

test("a repeat that is refused because the first try landed late counts as committed", async () => {
  const attempts: (() => void)[] = [];
  const { commit, database, manual, told, nodeId } = await start({
    request: async (statement) => {
      if (statement !== "flush") return;
      if (attempts.length === 0) {
        attempts.push(() => {});
        throw lost();
      }
      // Meanwhile the statement that seemed lost commits.
      database.tables.nodes.get(nodeId)!.lastFlush = 1;
    },
  });
  let committed = false;
  commit.markRun(entryOf("r1"));
  commit.afterCommit(() => (committed = true));
  await settled();
  manual.advance(50);
  await settled();
  manual.advance(0);
  await settled();
  expect(committed).toBe(true);
  expect(told).not.toContain("fenced");
});

test("a fenced node commits nothing, says so once, and its callbacks never run", async () => {
  const { commit, database, nodeId, told } = await start();
  database.tables.nodes.get(nodeId)!.fenced = true;
  let committed = false;
  commit.markRun(entryOf("r1"));
  commit.afterCommit(() => (committed = true));
  await settled();
  commit.markRun(entryOf("r2"));
  await settled();
  expect([committed, told, database.tables.runs.size]).toEqual([false, ["fenced"], 0]);
});

test("who waits for a commit is refused when the node is fenced or stops, and from then on at once", async () => {
  const { commit, database, manual, told } = await start({
    request: (statement) => {
      if (statement === "flush") throw lost();
    },
  });
  commit.markRun(entryOf("r1"));
  const refusal = expect(commit.drained()).rejects.toMatchObject({ code: "MILLRACE_LEASE_LOST" });
  await settled();
  for (const node of database.tables.nodes.values()) node.fenced = true;
  manual.advance(50);
  await settled();
  await refusal;
  expect(told).toContain("fenced");
  await expect(commit.drained()).rejects.toMatchObject({ code: "MILLRACE_LEASE_LOST" });

  const other = (
    await start({ request: (statement) => (statement === "flush" ? new Promise(() => {}) : undefined) })
  ).commit;
  other.markRun(entryOf("r1"));
  const waiting = expect(other.drained()).rejects.toMatchObject({ code: "MILLRACE_LEASE_LOST" });
  await settled();
  other.stop();
  await waiting;
});

test("one new run that the database refuses takes no other with it", async () => {
  const { commit, database, refused } = await start();
  commit.markRun(entryOf("there"));
  await commit.drained();
  const entries = ["r1", "r2", "there", "r3"].map(entryOf);
  for (const entry of entries) commit.markRun(entry);
  commit.batch.runsCreated.push(entryOf("queued").identity);
  commit.batch.messagesSent.push({ shard: 1, message: "hello" });
  await commit.drained();
  expect([...database.tables.runs.keys()].sort()).toEqual(
    ["queued", "r1", "r2", "r3", "there"].map((id) => keyOf(1, id)),
  );
  expect(database.tables.inbox.size).toBe(1);
  expect(refused.map(({ entries: of }) => of.map((entry) => entry.identity.id))).toEqual([["there"]]);
  expect(entries.map((entry) => entry.row)).toEqual(["queued", "queued", "none", "queued"]);
});

test("a database that refuses a new run after a moment of trouble is in trouble no longer", async () => {
  let troubles = 0;
  const { commit, manual, told, refused } = await start({
    request: (statement) => {
      // Two servers that make the same runs at once, in another order, wait for each other until one is told to give up.
      if (statement === "tryFlush" && troubles-- > 0)
        throw Object.assign(new Error("deadlock detected"), { code: "40P01" });
    },
  });
  commit.markRun(entryOf("there"));
  await commit.drained();
  troubles = 1;
  commit.markRun(entryOf("there"));
  await settled();
  manual.advance(100);
  await settled();
  expect(refused).toHaveLength(1);
  expect(told).toEqual(["trouble", "back"]);
});

test("a run that begins and ends between two flushes has its start in history", async () => {
  const { commit, database } = await start();
  const entry = entryOf("r1");
  commit.markRun(entry);
  await commit.drained();
  Object.assign(entry.run, { state: "succeeded", startedAt: 1_800_000_000_001, endedAt: 1_800_000_000_002 });
  commit.markRun(entry);
  await commit.drained();
  expect([...database.tables.runHistory.values()].map(({ startedAt }) => startedAt)).toEqual([
    1_800_000_000_001,
  ]);
});

test("a run whose row says when it started is not written again as it ends", async () => {
  const { commit, written } = await start();
  const entry = entryOf("r1");
  Object.assign(entry.run, { state: "running", startedAt: 1_800_000_000_001 });
  commit.markRun(entry);
  await commit.drained();
  Object.assign(entry.run, { state: "succeeded", endedAt: 1_800_000_000_002 });
  commit.markRun(entry);
  await commit.drained();
  expect(written).toEqual([{ runsCreated: 1 }, { runsEnded: 1 }]);
});

test("what a flush made of the log is told once, also when its answer was lost", async () => {
  let losses = 0;
  const { commit, logged, manual } = await start({
    answer: (statement) => {
      if (statement === "flush" && losses-- > 0) throw lost();
    },
  });
  const flush = (id: string): void => {
    commit.batch.events.push(eventRow(id));
    commit.batch.clocks.push({ workspace: 1, at: rowTime });
    commit.request();
  };
  flush("a");
  await settled();
  losses = 1;
  flush("b");
  await settled();
  manual.advance(50);
  await settled();
  expect(logged).toEqual([
    [["a"], 1],
    [["b"], 2],
  ]);
});

test("an event that the database refuses is left out, and the others are recorded", async () => {
  const { commit, logged, refused, database } = await start();
  for (const id of ["a", "b", "bad\u0000", "c"]) commit.batch.events.push(eventRow(id));
  commit.batch.clocks.push({ workspace: 1, at: rowTime });
  commit.batch.messagesSent.push({ shard: 1, message: "bystander" });
  await commit.drained();
  expect(logged).toEqual([[["a", "b", "c"], 1]]);
  expect(refused.flatMap(({ batch }) => batch.events.map(({ id }) => id))).toEqual(["bad\u0000"]);
  expect(database.tables.inbox.size).toBe(1);
});

test("a firing that was made before is refused with its run, and all else of its flush is committed", async () => {
  const { commit, database, refused } = await start();
  const firing = (occurrence: number, runId: string | undefined) => ({
    workspace: 1,
    pipeline: "p",
    version: 1,
    key: "",
    occurrence,
    revision: 1,
    at: rowTime,
    position: 1,
    interval: undefined,
    members: [],
    runId,
    reason: runId === undefined ? { code: "test", message: "because" } : undefined,
    value: undefined,
  });
  commit.batch.firings.push(firing(1, "r1"), firing(2, undefined));
  commit.markRun(entryOf("r1"));
  await commit.drained();
  for (const id of ["r2", "r3"]) commit.markRun(entryOf(id));
  commit.batch.firings.push(firing(1, "r2"), firing(3, "r3"), firing(2, undefined));
  commit.batch.cursors.push({ shard: 1, position: 9 });
  await commit.drained();
  const made = [...database.tables.firings.values()].map(({ occurrence, runId }) => [occurrence, runId]);
  expect(made).toEqual([
    [1, "r1"],
    [2, undefined],
    [3, "r3"],
  ]);
  expect([...database.tables.runs.keys()]).toEqual([keyOf(1, "r1"), keyOf(1, "r3")]);
  expect(database.tables.shards[1]?.logPosition).toBe(9);
  expect(refused.map(({ entries }) => entries.map((entry) => entry.identity.id))).toEqual([["r2"]]);
});
