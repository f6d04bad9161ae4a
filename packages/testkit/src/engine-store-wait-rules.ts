/** Rules of waits' shapes: each shard has rows of its own, and a range of keys is unused when no wait of any shard has one of them. */
import { strict as assert } from "node:assert";
import type { EngineStore, WaitRow, WaitShape, WaitShapeRow } from "@millrace/store";
import { flusher, rowTime } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

const paid: WaitShape = { workspace: 1, type: "order.paid", isPrefix: false, path: '["data","id"]' };
const all: WaitShape = { workspace: 1, type: "order.", isPrefix: true, path: "" };

function waitRow(id: number, matchKeys: readonly string[], parts: Partial<WaitRow> = {}): WaitRow {
  return {
    id,
    workspace: 1,
    shard: 1,
    runId: `r${id}`,
    node: "there",
    item: "",
    generation: 1,
    name: "",
    occurrence: 1,
    condition: '{"kind":"event","type":"order.paid"}',
    state: undefined,
    beganAt: rowTime,
    toldTo: 0,
    timeoutAt: undefined,
    dueAt: undefined,
    matchKeys,
    approval: undefined,
    end: undefined,
    ...parts,
  };
}

async function shapesOf(store: EngineStore, workspace = 1): Promise<string[]> {
  const { shapes } = await store.loadWaits(workspace, [1]);
  return shapes.map(nameOf).toSorted();
}

function nameOf({ type, isPrefix, path, shard }: WaitShapeRow): string {
  return `${type}${isPrefix ? "*" : ""} ${path} ${shard}`;
}

export const engineStoreWaitRules: { readonly [name: string]: EngineStoreRule } = {
  "a shape has a row for each shard that says so, and is read with those of all shards": async ({
    store,
    other,
  }) => {
    const { flush } = await flusher(store);
    await flush({
      waitShapes: [
        { ...paid, shard: 1 },
        { ...paid, shard: 2 },
        { ...all, shard: 1 },
        { ...all, workspace: 2, shard: 1 },
      ],
    });
    // Known already.
    await flush({ waitShapes: [{ ...paid, shard: 2 }] });
    assert.deepEqual(await shapesOf(other), [
      "order.*  1",
      'order.paid ["data","id"] 1',
      'order.paid ["data","id"] 2',
    ]);
    assert.equal(
      (await other.loadWaits(1, [1])).shapes.some(({ isOld }) => isOld),
      false,
    );
    assert.equal(await other.hasOldWaits(1), false);
  },

  "a shape goes in the shards that say so, and in no other": async ({ store }) => {
    const { flush } = await flusher(store);
    const rows = [1, 2, 3].flatMap((shard) => [
      { ...paid, shard },
      { ...all, shard },
    ]);
    await flush({ waitShapes: [...rows, { ...paid, workspace: 2, shard: 1 }] });
    await flush({ waitShapesGone: [{ ...paid, shards: [1, 3, 9] }] });
    assert.deepEqual(await shapesOf(store), [
      "order.*  1",
      "order.*  2",
      "order.*  3",
      'order.paid ["data","id"] 2',
    ]);
    assert.deepEqual(await shapesOf(store, 2), ['order.paid ["data","id"] 1']);
  },

  "a shape that goes and is registered in one flush is there": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({ waitShapes: [{ ...paid, shard: 1 }] });
    await flush({
      waitShapes: [{ ...paid, shard: 1 }],
      waitShapesGone: [{ ...paid, shards: [1] }],
      waits: [waitRow(1, ["5"])],
    });
    assert.deepEqual(await shapesOf(store), ['order.paid ["data","id"] 1']);
  },

  "a range is unused when no wait has a key in it, both ends included": async ({ store, other }) => {
    const { flush } = await flusher(store);
    const least = "-9223372036854775808";
    const most = "9223372036854775807";
    await flush({
      waits: [
        waitRow(1, ["-10", "20"]),
        waitRow(2, ["30"], { shard: 63 }),
        waitRow(3, [least]),
        waitRow(4, [most]),
      ],
    });
    const ranges = [
      { first: "-9", last: "19" },
      { first: "-10", last: "-10" },
      { first: "19", last: "20" },
      { first: "20", last: "21" },
      { first: "21", last: "29" },
      { first: "21", last: "40" },
      { first: least, last: "-9223372036854775807" },
      { first: "-9223372036854775807", last: "-11" },
      { first: "9223372036854775800", last: most },
    ];
    assert.deepEqual(await other.unusedKeyRanges(ranges), [0, 4, 7]);
    assert.deepEqual(await other.unusedKeyRanges([]), []);
    const end = { position: 7, outcome: { kind: "timeout" as const } };
    const change = { state: undefined, toldTo: 7, dueAt: undefined };
    await flush({
      // One whose end is left in its row is looked for no more.
      waitsChanged: [{ id: 1, ...change, end, endedKeys: ["-10", "20"] }],
      waitsGone: [
        { workspace: 1, runId: "r2", node: "there", item: "", name: undefined, occurrence: undefined },
      ],
    });
    assert.deepEqual(await other.unusedKeyRanges(ranges), [0, 1, 2, 3, 4, 5, 7]);
  },
};
