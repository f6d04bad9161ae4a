import { describe, expect, test } from "vitest";
import { errorCodeOf } from "../src/error/millrace-error.ts";
import { compileGraph } from "../src/graph/compile.ts";
import { downstreamOf } from "../src/graph/graph.ts";
import type { NodeDefinition, PipelineDefinition } from "../src/graph/definition.ts";
import { node, output, pipeline, plainOptions, region, value } from "./build.ts";

const item = (name: string) => ({ kind: "item", region: name, path: [] }) as const;
const branch = node("b", { kind: "branch", choices: ["left", "right"] });
const following = (...choices: string[]): NodeDefinition => ({
  ...node("x"),
  after: [{ node: "b", choices }],
});

const refused: [what: string, code: string, message: RegExp, definition: PipelineDefinition][] = [
  [
    "a cycle, naming the circle in its direction",
    "MILLRACE_GRAPH_CYCLE",
    /: (a → b → c → a|b → c → a → b|c → a → b → c)\./u,
    pipeline([
      node("before"),
      node("a", { after: ["before", "c"] }),
      node("b", { after: ["a"] }),
      node("c", { input: output("b") }),
      node("behind", { after: ["c"] }),
    ]),
  ],
  ["a node behind itself", "MILLRACE_GRAPH_CYCLE", /: a → a\./u, pipeline([node("a", { after: ["a"] })])],
  [
    "a fan-out over a list that one of its own nodes makes",
    "MILLRACE_GRAPH_CYCLE",
    /: (m → a → m|a → m → a)\./u,
    pipeline([node("a", { region: "m" })], [region("m", output("a"))]),
  ],
  [
    "two nodes with one id, naming both lines",
    "MILLRACE_GRAPH_DUPLICATE_ID",
    /"a" \(p\.ts:3 and p\.ts:9\)/u,
    pipeline([
      node("a", { source: { file: "p.ts", line: 3 } }),
      node("a", { source: { file: "p.ts", line: 9 } }),
    ]),
  ],
  [
    "two fan-outs with one id",
    "MILLRACE_GRAPH_INVALID",
    /regions have one id/u,
    pipeline([node("a", { region: "m" })], [region("m", value([])), region("m", value([]))]),
  ],
  [
    "an item used outside its fan-out",
    "MILLRACE_GRAPH_FOREIGN_REFERENCE",
    /"x" uses the item of the fan-out "m"/u,
    pipeline([node("a", { region: "m" }), node("x", { input: item("m") })], [region("m", value([]))]),
  ],
  [
    "an item in the concurrency key of a node outside",
    "MILLRACE_GRAPH_FOREIGN_REFERENCE",
    /"x" uses the item/u,
    pipeline(
      [
        node("a", { region: "m" }),
        node("x", { options: { ...plainOptions, concurrency: { key: item("m"), limit: 1 } } }),
      ],
      [region("m", value([]))],
    ),
  ],
  [
    "an item in the run's output",
    "MILLRACE_GRAPH_FOREIGN_REFERENCE",
    /its output/u,
    pipeline([node("a", { region: "m" })], [region("m", value([]))], { output: item("m") }),
  ],
  [
    "an item of an inner fan-out as the list of an outer one",
    "MILLRACE_GRAPH_FOREIGN_REFERENCE",
    /"o" uses the item of the fan-out "i"/u,
    pipeline([node("a", { region: "i" })], [region("o", item("i")), region("i", value([]), { parent: "o" })]),
  ],
  [
    "choices of a node that is no branch",
    "MILLRACE_GRAPH_INVALID",
    /follows choices of "b", which is not a branch/u,
    pipeline([node("b"), following("left")]),
  ],
  [
    "a choice that the branch does not have",
    "MILLRACE_GRAPH_INVALID",
    /follows the choice "up", which the branch "b" does not have/u,
    pipeline([branch, following("left", "up")]),
  ],
  [
    "choices of a branch in another fan-out",
    "MILLRACE_GRAPH_INVALID",
    /from outside its fan-out/u,
    pipeline([{ ...branch, region: "m" }, following("left")], [region("m", value([]))]),
  ],
  [
    "a parent that does not exist",
    "MILLRACE_GRAPH_INVALID",
    /depends on "z"/u,
    pipeline([node("a", { after: ["z"] })]),
  ],
  [
    "a fan-out that does not exist",
    "MILLRACE_GRAPH_INVALID",
    /in the region "z"/u,
    pipeline([node("a", { region: "z" })]),
  ],
  [
    "fan-outs inside each other",
    "MILLRACE_GRAPH_INVALID",
    /contains itself/u,
    pipeline([], [region("m", value([]), { parent: "o" }), region("o", value([]), { parent: "m" })]),
  ],
  [
    "a fan-out without nodes",
    "MILLRACE_GRAPH_INVALID",
    /"m" has no nodes/u,
    pipeline([], [region("m", value([]))]),
  ],
  [
    "a fan-out none of whose items may begin",
    "MILLRACE_GRAPH_INVALID",
    /concurrency 0/u,
    pipeline([node("a", { region: "m" })], [region("m", value([]), { concurrency: 0 })]),
  ],
  [
    "a bounded fan-out one of whose nodes waits for all items",
    "MILLRACE_GRAPH_INVALID",
    /"m" has a concurrency, but its node "c" waits for all of its items/u,
    pipeline(
      [
        node("a", { region: "m" }),
        node("b", { input: output("a") }),
        node("c", { region: "m", after: ["b"] }),
      ],
      [region("m", value([]), { concurrency: 2 })],
    ),
  ],
  [
    "two bounded fan-outs that wait for all of each other's items",
    "MILLRACE_GRAPH_INVALID",
    /"m" has a concurrency, but its node "b" waits for all of its items/u,
    pipeline(
      [
        node("a", { region: "m" }),
        node("x", { region: "o", after: ["a"] }),
        node("y", { region: "o" }),
        node("b", { region: "m", after: ["y"] }),
      ],
      [region("m", value([]), { concurrency: 2 }), region("o", value([]), { concurrency: 2 })],
    ),
  ],
  [
    "an output that reads a node that does not exist",
    "MILLRACE_GRAPH_INVALID",
    /its output refers to the node "z"/u,
    pipeline([node("a")], [], { output: output("z") }),
  ],
];

describe("a definition is refused that has", () => {
  test.each(refused)("%s", (_what, code, message, definition) => {
    let thrown: unknown;
    try {
      compileGraph(definition);
    } catch (error) {
      thrown = error;
    }
    expect(errorCodeOf(thrown)).toBe(code);
    expect((thrown as Error).message).toMatch(message);
  });
});

test("choices of several edges to one branch are joined, and data from it does not undo them", () => {
  const graph = compileGraph(
    pipeline([
      branch,
      {
        ...node("x", { input: output("b") }),
        after: [{ node: "b", choices: ["left"] }, { node: "b" }, { node: "b", choices: ["right"] }],
      },
    ]),
  );
  expect(graph.byId.get("x")!.parents.map((edge) => edge.choices)).toEqual([["left", "right"]]);
});

test("what is downstream includes the nodes of fan-outs over an output", () => {
  const graph = compileGraph(
    pipeline(
      [node("a"), node("m", { region: "m" }), node("c", { after: ["m"] }), node("d")],
      [region("m", output("a"))],
    ),
  );
  const names = [...downstreamOf([graph.byId.get("a")!])].map((found) => found.definition.id);
  expect(names.sort()).toEqual(["c", "m"]);
});
