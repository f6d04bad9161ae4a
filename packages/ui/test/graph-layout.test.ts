/** The picture of a graph: what every picture keeps, and that it is quick. */
import { expect, test } from "vitest";
import { layOut, nodeHeight, nodeWidth, type GraphInput, type Layout } from "../src/parts/graph/layout.ts";

function input(id: string, parents: readonly string[] = [], regions: readonly string[] = []): GraphInput {
  return { id, parents, regions };
}

/** Always the same numbers from 0 to below 1. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

function random(length: number, parentsMax: number, reach: number): GraphInput[] {
  const next = numbers();
  return Array.from({ length }, (_, at) => {
    const parents = new Set<string>();
    const count = at === 0 ? 0 : Math.floor(next() * (parentsMax + 1));
    for (let edge = 0; edge < count; edge += 1)
      parents.add(`n${Math.max(0, at - 1 - Math.floor(next() * reach))}`);
    return input(`n${at}`, [...parents], next() < 0.2 ? [`r${Math.floor(at / 20)}`] : []);
  });
}

function crossings({ nodes, edges }: Layout): number {
  let count = 0;
  for (const a of edges)
    for (const b of edges) {
      const [from, to] = [
        nodes.get(a.from)!.y - nodes.get(b.from)!.y,
        nodes.get(a.to)!.y - nodes.get(b.to)!.y,
      ];
      if (from * to < 0) count += 1;
    }
  return count / 2;
}

test.each([1, 30, 400])(
  "children stand to the right of their parents, and nothing overlaps: %i nodes",
  (count) => {
    const inputs = random(count, 3, 40);
    const layout = layOut(inputs);
    expect(layout.nodes.size).toBe(count);
    for (const { id, parents } of inputs)
      for (const parent of parents)
        expect(layout.nodes.get(id)!.x).toBeGreaterThan(layout.nodes.get(parent)!.x + nodeWidth);
    const columns = Map.groupBy(layout.nodes.values(), ({ x }) => x);
    for (const column of columns.values()) {
      const ys = column.map(({ y }) => y).sort((a, b) => a - b);
      for (const [at, y] of ys.slice(1).entries()) expect(y - ys[at]!).toBeGreaterThanOrEqual(nodeHeight);
    }
    for (const { x, y } of layout.nodes.values()) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y - nodeHeight / 2).toBeGreaterThanOrEqual(0);
      expect(x + nodeWidth).toBeLessThanOrEqual(layout.width);
      expect(y + nodeHeight / 2).toBeLessThanOrEqual(layout.height);
    }
  },
);

test("parallel chains that are declared crosswise do not cross", () => {
  const inputs = [
    input("a"),
    input("b"),
    input("c"),
    input("c1", ["c"]),
    input("b1", ["b"]),
    input("a1", ["a"]),
  ];
  expect(crossings(layOut(inputs))).toBe(0);
});

test("a region with several nodes has a box that holds them, and its nodes stand together", () => {
  const inputs = [
    input("x"),
    input("m1", ["x"], ["map"]),
    input("other", ["x"]),
    input("m2", ["m1"], ["map"]),
    input("m3", ["m1"], ["map"]),
    input("alone", ["x"], ["one"]),
  ];
  const { boxes, nodes } = layOut(inputs);
  expect(boxes.map(({ id }) => id)).toEqual(["map"]);
  const [box] = boxes;
  for (const id of ["m1", "m2", "m3"]) {
    const { x, y } = nodes.get(id)!;
    expect(x).toBeGreaterThan(box!.x);
    expect(x + nodeWidth).toBeLessThan(box!.x + box!.width);
    expect(y - nodeHeight / 2).toBeGreaterThan(box!.y);
    expect(y + nodeHeight / 2).toBeLessThan(box!.y + box!.height);
  }
});

test("an edge over several layers passes each of them at a place of its own", () => {
  const inputs = [input("a"), input("b", ["a"]), input("c", ["b"]), input("d", ["c", "a"])];
  const { edges, nodes } = layOut(inputs);
  const long = edges.find(({ from, to }) => from === "a" && to === "d");
  expect(long?.points).toHaveLength(6);
  expect(Math.abs(long!.points[1]!.y - nodes.get("b")!.y)).toBeGreaterThan(nodeHeight / 2);
});

test("5,000 nodes take about 50 ms of one core", () => {
  const inputs = random(5_000, 2, 60);
  layOut(inputs);
  const times = Array.from({ length: 5 }, () => {
    const before = process.threadCpuUsage();
    layOut(inputs);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  });
  const best = Math.min(...times);
  // A slow machine is no failure; a layout that is not linear is.
  expect(best).toBeLessThan(400);
  if (process.env["MILLRACE_TEST_LONG"] !== undefined) expect(best).toBeLessThan(100);
});
