import type { NodeDefinition, PipelineDefinition } from "@millrace/core";
import type { DeployResponse } from "@millrace/protocol";
import { expect, test } from "vitest";
import { pipelineChanges } from "../src/stack/project-change.ts";

const response: DeployResponse = {
  project: "shop",
  deployment: 2,
  dryRun: false,
  added: ["new"],
  changed: ["orders"],
  retired: ["old"],
  unchanged: [],
};

function orders(nodes: readonly object[], more: object = {}): ReadonlyMap<string, PipelineDefinition> {
  const definition = {
    name: "orders",
    tags: [],
    paused: false,
    nodes: nodes as NodeDefinition[],
    regions: [],
  };
  return new Map([["orders", { ...definition, ...more } as PipelineDefinition]]);
}

const at = (line: number) => ({ source: { file: "pipelines/orders.ts", line } });

test("what a save did is told node by node", () => {
  const before = orders([{ id: "a", ...at(3) }, { id: "b", rule: "all_success", ...at(4) }, { id: "c" }]);
  const after = orders([{ id: "a", ...at(9) }, { id: "b", rule: "all_done", ...at(4) }, { id: "d" }]);
  expect(pipelineChanges(response, before, after)).toMatchObject([
    { name: "new", kind: "added" },
    {
      name: "orders",
      kind: "changed",
      addedNodes: ["d"],
      changedNodes: ["b"],
      removedNodes: ["c"],
      isTriggerChanged: false,
    },
    { name: "old", kind: "retired" },
  ]);
});

test("what only moved to another line is no change; data of a node that looks like a place is", () => {
  const only = { ...response, added: [], retired: [] };
  expect(
    pipelineChanges(only, orders([{ id: "a", ...at(3) }], at(1)), orders([{ id: "a", ...at(4) }], at(2))),
  ).toEqual([]);
  const [found] = pipelineChanges(
    only,
    orders([{ id: "a", input: { source: "x" } }]),
    orders([{ id: "a", input: { source: "y" } }]),
  );
  expect(found?.changedNodes).toEqual(["a"]);
});

test("where what ran before is known by name alone, the name is told", () => {
  expect(pipelineChanges(response, undefined, orders([{ id: "a" }]))[1]).toMatchObject({
    name: "orders",
    kind: "changed",
    changedNodes: [],
  });
});
