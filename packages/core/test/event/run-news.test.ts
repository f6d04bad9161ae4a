import { expect, test } from "vitest";
import {
  parseCondition,
  pipelinesAskedOf,
  runAsksOf,
  runAsksOfPipeline,
  type Json,
  type Template,
} from "../../src/index.ts";

const subject = (value: string): Json => ({ op: "eq", path: ["subject"], value });

function asks(...of: Json[]): string[] {
  const condition = parseCondition({ kind: "any", of });
  return runAsksOf(condition).map(
    ({ type, subject: of }) => `${type.slice("millrace.".length)} ${of ?? "*"}`,
  );
}

test.each<[string, Json, readonly string[]]>([
  ["a type and a pipeline", { type: "millrace.run.succeeded", where: subject("p") }, ["run.succeeded p"]],
  ["a type of all pipelines", { type: "millrace.run.started" }, ["run.started *"]],
  [
    "one of several pipelines",
    { type: "millrace.run.succeeded", where: { op: "in", path: ["subject"], value: ["p", "q"] } },
    ["run.succeeded p", "run.succeeded q"],
  ],
  [
    "a pipeline in CEL",
    { type: "millrace.run.succeeded", where: { op: "cel", text: 'subject == "p" && data.generation > 1' } },
    ["run.succeeded p"],
  ],
  ["a prefix", { type: "millrace.run.*", where: subject("p") }, ["run.started p", "run.succeeded p"]],
  ["all of Millrace's own", { type: "millrace.*" }, ["run.started *", "run.succeeded *"]],
  ["a named node", { type: "millrace.node.succeeded", where: subject("p/n") }, ["node.succeeded p/n"]],
  ["nodes that nobody names", { type: "millrace.node.succeeded" }, []],
  ["what is told of all anyway", { type: "millrace.run.failed", where: subject("p") }, []],
  ["everything there is", { type: "*" }, []],
  ["others' events", { type: "order.*", where: subject("p") }, []],
])("%s", (_what, atom, expected) => {
  expect(asks({ kind: "event", ...(atom as object) })).toEqual(expected);
  expect(asks({ kind: "count", n: 2, of: { kind: "event", ...(atom as object) } })).toEqual(expected);
});

test("the pipelines and nodes that a condition names", () => {
  const condition = parseCondition({
    kind: "all",
    of: [
      { kind: "event", type: "millrace.run.failed", where: subject("p") },
      { kind: "event", type: "millrace.node.*", where: subject("q/g/n") },
      { kind: "event", type: "millrace.run.succeeded" },
      { kind: "event", type: "order.paid", where: subject("r") },
    ],
  });
  expect(pipelinesAskedOf(condition)).toEqual([{ pipeline: "p" }, { pipeline: "q", node: "g/n" }]);
});

test("waits in a graph ask, too; for all where only their run knows of which", () => {
  const wait = (input: Template) =>
    ({ kind: "wait", input }) as Parameters<typeof runAsksOfPipeline>[0]["nodes"][number];
  const value = (of: Json): Template => ({ kind: "value", value: of });
  const atom = (of: Template): Template => ({
    kind: "object",
    entries: {
      kind: value("event"),
      type: value("millrace.run.succeeded"),
      where: { kind: "object", entries: { op: value("eq"), path: value(["subject"]), value: of } },
    },
  });
  const asked = runAsksOfPipeline({
    nodes: [
      wait(atom(value("p"))),
      wait(atom({ kind: "output", node: "n", path: [] })),
      wait(value({ kind: "event", type: "order.paid" })),
      { ...wait(atom(value("q"))), kind: "task" },
    ],
  });
  expect(asked).toEqual([
    { type: "millrace.run.succeeded", subject: "p" },
    { type: "millrace.run.succeeded", subject: undefined },
  ]);
});
