/** Where waits begin, for an evaluator whose log is given page by page. */
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
  let hear: ((page: LogPage) => Promise<void>) | undefined;
  const parts = {
    clock: { now: () => 1_000 },
    alarms: { set: () => ({ cancel: () => {} }) },
    log: { warn: () => {} },
    store: { nextWaitDue: async () => undefined, readTypes: async () => [] },
    commit: {
      batch: { waits, waitShapes: [], waitCursors: [] },
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
    deliver: () => true,
    endOf: () => ({ position: 0, outcome: { kind: "timeout" } }),
    onLeft: () => {},
  });
  evaluator.start();
  const begin = (after: number): void => {
    const told = new ToldWait(row);
    evaluator.begin({
      told,
      shapes: matchKeysOf(told.program!).shapes,
      lookBack: { after, since: 0 },
      isWanted: () => true,
      onPlaced: () => {},
      onSettled: () => {},
    });
  };
  /** A page without entries that concern anybody. */
  const page = async (until: number): Promise<void> => {
    await hear!({ events: [], until, head: { position: Math.max(head, until), clock: 900 } });
    for (let turn = 0; turn < 5; turn += 1) await settled();
  };
  return { begin, page, toldTo: (): number[] => waits.map((wait) => wait.toldTo) };
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
