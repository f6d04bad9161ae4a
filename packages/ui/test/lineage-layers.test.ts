/** Lineage without circles, for a picture in layers. */
import type { LineageView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { layOut } from "../src/parts/graph/layout.ts";
import { layersOf } from "../src/pages/assets/lineage-layers.ts";

function view(...ties: readonly string[]): LineageView {
  const edges = ties.map((tie) => {
    const [from = "", to = ""] = tie.split(">");
    return { from, to, ties: ["reads" as const] };
  });
  const ids = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
  return { nodes: ids.map((id) => ({ id, kind: "asset" as const, name: id })), edges };
}

test("a circle is cut where it comes back to what leads into it", () => {
  const { inputs, back } = layersOf(view("b>c", "c>b", "a>b", "c>d"));
  expect(back.map(({ from, to }) => `${from}>${to}`)).toEqual(["c>b"]);
  expect(inputs.map(({ id, parents }) => [id, parents])).toEqual([
    ["b", ["a"]],
    ["c", ["b"]],
    ["a", []],
    ["d", ["c"]],
  ]);
});

test("a chain of ten thousand, and a circle of all, are laid out", () => {
  const chain = Array.from({ length: 10_000 }, (_, at) => `n${at}>n${at + 1}`);
  expect(layersOf(view(...chain)).back).toEqual([]);
  const { inputs, back } = layersOf(view("n0>n1", "n1>n2", "n2>n0"));
  expect(back).toHaveLength(1);
  expect(layOut(inputs).nodes.size).toBe(3);
});
