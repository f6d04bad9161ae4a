import type { NodeDefinition, PipelineDefinition } from "@millrace/core";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { mermaidOf, textGraphOf } from "../../src/run-view/graph.ts";
import { outlineOf } from "@millrace/protocol/run-picture";

/** A pipeline of tasks, each with the nodes that it waits for. */
function pipelineOf(nodes: { readonly [id: string]: readonly string[] }): PipelineDefinition {
  return {
    name: "flow",
    tags: [],
    paused: false,
    nodes: Object.entries(nodes).map(([id, after]) => taskNode(id, after)),
    regions: [],
  };
}

function taskNode(id: string, after: readonly string[]): NodeDefinition {
  return {
    id,
    kind: "task",
    name: id,
    input: { kind: "value", value: null },
    after: after.map((node) => ({ node })),
    rule: "all_success",
    options: {
      retry: { attemptsMax: 1, delay: { kind: "fixed", ms: 0 }, rules: [] } as never,
      priority: 0,
      queue: "default",
      env: [],
      connections: [],
    },
  };
}

function drawn(nodes: { readonly [id: string]: readonly string[] }): string[] {
  return outlineOf(pipelineOf(nodes)).map((row) => `${row.lead}${row.id}`);
}

test("a chain stays flat", () => {
  expect(drawn({ a: [], b: ["a"], c: ["b"] })).toEqual(["a", "b", "c"]);
});

test("a fan is indented, and what joins it follows at the old level", () => {
  expect(drawn({ a: [], b: ["a"], c: ["a"], d: ["b", "c"], e: ["d"] })).toEqual([
    "a",
    "├─ b",
    "└─ c",
    "d",
    "e",
  ]);
});

test("branches that never meet stay below the node that they leave", () => {
  expect(drawn({ a: [], b: ["a"], b2: ["b"], c: ["a"], c2: ["c"] })).toEqual([
    "a",
    "├─ b",
    "│  b2",
    "└─ c",
    "   c2",
  ]);
});

test("an edge that goes without saying does not change the picture", () => {
  expect(drawn({ a: [], b: ["a"], c: ["a", "b"] })).toEqual(["a", "b", "c"]);
});

test("every node of a wide and deep graph is drawn once, in moments", () => {
  const nodes: { [id: string]: string[] } = {};
  for (let index = 0; index < 5_000; index += 1) {
    nodes[`n${index}`] = index < 10 ? [] : [`n${index - 10}`, `n${index - (index % 10) - 1}`];
  }
  const startedAt = performance.now();
  expect(new Set(drawn(nodes)).size).toBe(5_000);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test("the text names the parents that the place does not tell", () => {
  const lines = textGraphOf(pipelineOf({ a: [], b: ["a"], c: ["a"], d: ["b", "c"] }), createColors(false));
  expect(lines[0]).toBe("flow  4 nodes");
  expect(lines.find((line) => line.includes(" d "))).toContain("← b, c");
  expect(lines.find((line) => line.includes("├─ ● b"))).not.toContain("←");
});

test("Mermaid gets every node and every edge", () => {
  expect(mermaidOf(pipelineOf({ a: [], b: ["a"] }))).toEqual([
    "flowchart LR",
    '  n0["a"]',
    '  n1["b"]',
    "  n0 --> n1",
  ]);
});
