import { compileGraph } from "@millrace/core";
import { liveRun, taskRunRow } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { newestRows, rowsInLists } from "../../src/engine/generation-rows.ts";
import { pipelineOf, task } from "./bench.ts";

const row = (node: string, item: string, generation: number) =>
  taskRunRow("r1", node, { item, generation, state: "succeeded", endedAt: 1, output: { value: [1, 2] } });
const names = (rows: readonly { node: string; item: string; generation: number }[]): string[] =>
  rows.map(({ node, item, generation }) => `${node}[${item}] ${generation}`).toSorted();

describe("the rows of a generation", () => {
  test("are the newest of each node and item, up to that generation", () => {
    const rows = [row("a", "", 3), row("a", "", 2), row("b", "0", 2), row("a", "", 1), row("b", "0", 1)];
    expect(names(newestRows(rows, 2))).toEqual(["a[] 2", "b[0] 2"]);
    expect(names(newestRows(rows, 1))).toEqual(["a[] 1", "b[0] 1"]);
  });

  test("have the items of a fan-out in place of the row that it left when it had none, and the other way round", () => {
    expect(names(newestRows([row("a", "0", 2), row("a", "1", 2), row("a", "", 1)], 2))).toEqual([
      "a[0] 2",
      "a[1] 2",
    ]);
    expect(names(newestRows([row("a", "", 2), row("a", "0", 1), row("a", "1", 1)], 2))).toEqual(["a[] 2"]);
    expect(
      names(newestRows([row("a", "1.0", 2), row("a", "0.0", 1), row("a", "0.1", 1), row("a", "1", 1)], 2)),
    ).toEqual(["a[0.0] 1", "a[0.1] 1", "a[1.0] 2"]);
  });

  test("leave out items that a shorter list does not have any more", () => {
    const graph = compileGraph(
      pipelineOf([task("list"), task("a", { region: "m" })], {
        regions: [
          { id: "m", over: [{ kind: "output", node: "list", path: [] }], combine: "zip", settled: false },
        ],
      }),
    );
    const rows = [
      row("list", "", 2),
      row("a", "0", 2),
      row("a", "1", 2),
      row("a", "2", 1),
      row("gone", "", 1),
    ];
    expect(names(rowsInLists(graph, liveRun("r1", { generation: 2 }), rows))).toEqual([
      "a[0] 2",
      "a[1] 2",
      "gone[] 1",
      "list[] 2",
    ]);
  });
});
