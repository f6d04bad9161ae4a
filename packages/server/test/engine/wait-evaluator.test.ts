/** Where waits begin, for an evaluator whose log is given page by page. */
import type { LogEvent } from "@millrace/core";
import type { LogPage, WaitRow } from "@millrace/store";
import { expect, test } from "vitest";
import { matchKeysOf } from "../../src/engine/wait/match-keys.ts";
import { ToldWait } from "../../src/engine/wait/told-wait.ts";
import { WaitEvaluator } from "../../src/engine/wait/wait-evaluator.ts";
import { settled } from "./bench.ts";

const row: WaitRow = {
  workspace: 1,
  runId: "r1",
  node: "a",
  item: "",
  name: "",
  occurrence: 1,
  id: 1,
  shard: 1,
  generation: 1,
  condition: JSON.stringify({ kind: "event", type: "order.paid" }),
  state: undefined,
  beganAt: 1_000,
  toldTo: 0,
  timeoutAt: undefined,
  dueAt: undefined,
  matchKeys: [],
  approval: undefined,
  end: undefined,
};

/** Shard 1 was told up to 20, the other one up to 10 only: the evaluator reads from there. */
function world(head: number) {
  const waits: WaitRow[] = [];
  const heardTo: number[] = [];
  let settledTimes = 0;
  let readPast = Promise.withResolvers<LogEvent[]>();
  readPast.resolve([]);
  let hear: ((page: LogPage) => Promise<void>) | undefined;
  const parts = {
    clock: { now: () => 1_000 },
    alarms: { set: () => ({ cancel: () => {} }) },
    log: { warn: () => {} },
    store: {
      nextWaitDue: async () => undefined,
      readTypes: () => readPast.promise,
      findWaits: async () => ({ waits: [], next: undefined }),
      loadDueWaits: async () => [],
    },
    values: { loaded: async (value: unknown) => value },
    commit: {
      batch: { waits, waitShapes: [], waitCursors: [], waitsChanged: [], waitMembers: [] },
      request: () => {},
      drained: async () => {},
      afterCommit: () => {},
    },
    events: {
      onAppended: (_after: number, listener: (page: LogPage) => Promise<void>) => {
        hear = listener;
        return () => {};
      },
    },
  };
  const evaluator = new WaitEvaluator({
    parts: parts as never,
    shards: [1, 2],
    loaded: {
      shapes: [],
      cursors: [
        { shard: 1, position: 20 },
        { shard: 2, position: 10 },
      ],
    },
    head: { position: head, clock: 900 },
    prepare: async () => {},
    bringIn: async () => {},
    deliver: (_wait, position) => heardTo.push(position) > 0,
    endOf: () => ({ position: 0, outcome: { kind: "timeout" } }),
    onLeft: () => {},
  });
  evaluator.start();
  const begin = (
    after: number,
    change: Partial<WaitRow> = {},
    by: { since?: number; notBefore?: number } = {},
  ): void => {
    const told = new ToldWait({ ...row, ...change });
    evaluator.begin({
      told,
      shapes: matchKeysOf(told.program!).shapes,
      lookBack: { after, since: by.since ?? 0 },
      notBefore: by.notBefore ?? 0,
      isWanted: () => true,
      onPlaced: () => {},
      onSettled: () => {
        settledTimes += 1;
      },
    });
  };
  /** Without `events`: a page without entries that concern anybody. */
  const page = async (until: number, events: readonly LogEvent[] = [], clock = 900): Promise<void> => {
    await hear!({ events, until, head: { position: Math.max(head, until), clock } });
    for (let turn = 0; turn < 5; turn += 1) await settled();
  };
  return {
    begin,
    page,
    heardTo,
    toldTo: (): number[] => waits.map((wait) => wait.toldTo),
    settledTimes: (): number => settledTimes,
    dropAll: (): void => evaluator.drop(new Set([1, 2])),
    /** The past is read only when what this gives is called. */
    holdPast: (): (() => void) => {
      readPast = Promise.withResolvers();
      return () => readPast.resolve([]);
    },
  };
}

function paidAt(position: number, recordedAt: number, type = "order.paid"): LogEvent {
  const parts = {
    source: "/shop",
    id: String(position),
    subject: undefined,
    extensions: {},
    invalid: undefined,
  };
  return {
    ...parts,
    position,
    recordedAt,
    type,
    time: recordedAt,
    lane: "live",
    data: { value: null },
  } as never;
}

test("no wait begins before what was in the log when its shard came, which the next owner would not read again (J4)", async () => {
  const { begin, page, toldTo } = world(30);
  await page(15);
  begin(5);
  await page(29);
  expect(toldTo()).toEqual([]);
  await page(30);
  expect(toldTo()).toEqual([30]);
  // What it looks back to is in memory.
  begin(25);
  expect(toldTo()).toEqual([30, 30]);
});

test("no wait is told what came before the entry that it looks back to (J4)", async () => {
  const { begin, page, toldTo } = world(12);
  await page(12);
  begin(14);
  await page(13);
  expect(toldTo()).toEqual([]);
  await page(16);
  expect(toldTo()).toEqual([16]);
});

test("a wait that finds several entries ends with the first, and the next of its name looks back to just after that", async () => {
  const { begin, page, heardTo } = world(10);
  await page(13, [paidAt(11, 901), paidAt(12, 902), paidAt(13, 903)]);
  begin(10);
  await page(14);
  expect(heardTo).toEqual([11]);
});

test("a wait that one page ends twice over ends with the first entry of it", async () => {
  const { begin, page, heardTo } = world(10);
  await page(10);
  begin(10, { matchKeys: matchKeysOf(new ToldWait(row).program!).keys });
  await page(13, [paidAt(11, 1_101), paidAt(12, 1_102), paidAt(13, 1_103)]);
  expect(heardTo).toEqual([11]);
});

test("a wait that time ends has heard what was recorded by then, and nothing later", async () => {
  const { begin, page, heardTo } = world(10);
  await page(10);
  begin(10, { timeoutAt: 1_102 });
  await page(13, [paidAt(11, 1_101, "other"), paidAt(12, 1_102, "other"), paidAt(13, 1_103, "other")], 1_200);
  expect(heardTo).toEqual([12]);
});

test("a wait that looks back by time begins when what was recorded before has been told: it never hears that", async () => {
  const { begin, page, heardTo, toldTo } = world(10);
  await page(10);
  // Its run began at 1,000, after the entry at 11 was committed and before it was told.
  begin(0, { matchKeys: matchKeysOf(new ToldWait(row).program!).keys }, { since: 1_000, notBefore: 11 });
  expect(toldTo()).toEqual([]);
  await page(11, [paidAt(11, 999)]);
  expect([toldTo(), heardTo]).toEqual([[11], []]);
  await page(12, [paidAt(12, 1_000)]);
  expect(heardTo).toEqual([12]);
});

test("a wait that is told its past while its shards go is settled once", async () => {
  const { begin, page, toldTo, settledTimes, dropAll, holdPast } = world(10);
  await page(10);
  const letRead = holdPast();
  begin(5);
  await settled();
  dropAll();
  expect(settledTimes()).toBe(1);
  letRead();
  for (let turn = 0; turn < 5; turn += 1) await settled();
  expect([toldTo(), settledTimes()]).toEqual([[], 1]);
});
