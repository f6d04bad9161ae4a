/** Groups and regions of a graph, folded and as a file. */
import { expect, test } from "vitest";
import { foldGraph, boxNames } from "../src/parts/graph/graph-inputs.ts";
import { graphSvg, graphColors } from "../src/parts/graph/graph-svg.ts";
import { layOut, type GraphInput } from "../src/parts/graph/layout.ts";
import { groupState } from "../src/parts/graph/look.ts";

const inputs: GraphInput[] = [
  { id: "list", parents: [], regions: [] },
  { id: "clean/a", parents: ["list"], regions: ["clean"] },
  { id: "clean/in/b", parents: ["clean/a"], regions: ["clean", "clean/in"] },
  { id: "clean/in/c", parents: ["clean/a"], regions: ["clean", "clean/in"] },
  { id: "join", parents: ["clean/in/b", "clean/in/c", "alone/x"], regions: [] },
  { id: "alone/x", parents: ["list"], regions: ["alone"] },
];

test("a folded box is one node that stands between what its nodes stood between", () => {
  expect(boxNames(inputs)).toEqual(["clean", "clean/in"]);
  const inner = foldGraph(inputs, new Set(["clean/in"]));
  expect(inner.inputs.map(({ id, parents }) => [id, parents])).toEqual([
    ["list", []],
    ["clean/a", ["list"]],
    ["clean/in", ["clean/a"]],
    ["join", ["clean/in", "alone/x"]],
    ["alone/x", ["list"]],
  ]);
  expect(inner.inputs.find(({ id }) => id === "clean/in")?.regions).toEqual(["clean"]);
  const outer = foldGraph(inputs, new Set(["clean/in", "clean", "alone", "gone"]));
  expect(outer.members).toEqual(new Map([["clean", ["clean/a", "clean/in/b", "clean/in/c"]]]));
  expect(outer.drawnAs.get("clean/in/c")).toBe("clean");
});

test("groups that wait for each other are drawn all the same", () => {
  const ring: GraphInput[] = [
    { id: "g/a", parents: [], regions: ["g"] },
    { id: "b", parents: ["g/a"], regions: [] },
    { id: "g/c", parents: ["b"], regions: ["g"] },
    { id: "end", parents: ["g/c"], regions: [] },
  ];
  const layout = layOut(foldGraph(ring, new Set(["g"])).inputs);
  expect(layout.nodes.size).toBe(3);
  expect(layout.nodes.get("end")!.x).toBeGreaterThan(layout.nodes.get("g")!.x);
});

test("a group goes on while one of its nodes does, and is what became of them", () => {
  const of = (counts: Record<string, number>) =>
    groupState({
      total: Object.values(counts).reduce((sum, count) => sum + count, 0),
      counts: new Map(Object.entries(counts)) as never,
    });
  expect(of({ succeeded: 3, running: 1 })).toBe("running");
  expect(of({ failed: 1, succeeded: 2 })).toBe("failed");
  expect(of({ succeeded: 1, pending: 1 })).toBe("running");
  expect(of({ skipped: 2 })).toBe("skipped");
  expect(of({ pending: 2 })).toBe("pending");
});

test("the file holds all of it, with names as text whatever they are", () => {
  const layout = layOut([{ id: '<script>&"', parents: [], regions: [] }]);
  const colors = Object.fromEntries(Object.keys(graphColors).map((name) => [name, "#123456"]));
  const svg = graphSvg(
    {
      name: "p",
      layout,
      look: () => ({
        state: "running",
        told: "1/2",
        isMany: true,
        tally: { total: 2, counts: new Map([["succeeded", 1]]) },
      }),
      regions: new Set(),
      critical: { nodes: new Set(), edges: new Set() },
    },
    colors,
  );
  expect(svg).toContain("&lt;script&gt;&amp;&quot;</text>");
  expect(svg).toContain("1/2");
  expect(svg).not.toMatch(/undefined|NaN|<script/);
});
