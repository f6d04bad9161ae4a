/** Which runs can go on with another version of their pipeline. */
import { describe, expect, test } from "vitest";
import type { NodeDefinition, PipelineDefinition } from "../src/graph/definition.ts";
import { compileGraph } from "../src/graph/compile.ts";
import { findMoveFaults } from "../src/run/move.ts";
import {
  Bench,
  failure,
  identity,
  node,
  output,
  pipeline,
  plainOptions,
  region,
  success,
  value,
} from "./build.ts";

const waiting = (id: string, after: readonly string[] = []): NodeDefinition =>
  node(id, { kind: "wait", wait: { onTimeout: "fail" }, after });

/** A run of `before` in which `a` has ended with `answer`, and the rest stands as it then does. */
function faults(
  before: PipelineDefinition,
  after: PipelineDefinition,
  answer = success([1, 2, 3]),
): string[] {
  const bench = new Bench(before).start();
  bench.drain((taskRun) => (taskRun.node.definition.id === "a" ? answer : success()));
  const record = {
    ...identity,
    state: bench.run.state,
    reason: undefined,
    startedAt: 1,
    endedAt: undefined,
    output: undefined,
    cancel: undefined,
  };
  const rows = [...bench.rows.values()];
  return findMoveFaults(compileGraph(before), compileGraph(after), { record, rows }).map(
    (fault) => `${fault.node}[${fault.item}] ${fault.text}`,
  );
}

describe("a run that waits can go on with another version", () => {
  const before = pipeline([node("a"), waiting("w", ["a"]), node("z", { after: ["w"] })]);

  test("that has all that it has done and waits for, whatever is new or changed behind it", () => {
    expect(faults(before, before)).toEqual([]);
    expect(
      faults(
        before,
        pipeline([node("a"), node("new"), waiting("w", ["a", "new"]), node("other", { after: ["w"] })]),
      ),
    ).toEqual([]);
  });

  test("not if a node is gone that has ended or waits; one that has not begun may go", () => {
    expect(faults(before, pipeline([waiting("w"), node("z", { after: ["w"] })]))).toEqual([
      "a[] is succeeded, and is not there",
    ]);
    expect(faults(before, pipeline([node("a")]))).toEqual(["w[] is waiting, and is not there"]);
  });

  test("not if what waits is of another kind there; what has ended may be", () => {
    expect(faults(before, pipeline([node("a"), node("w")]))).toEqual([
      "w[] is waiting as a wait, and is a task there",
    ]);
    expect(
      faults(
        before,
        pipeline([
          node("a"),
          node("w", { kind: "wait", wait: { onTimeout: "fail", approval: { onReject: "skip" } } }),
        ]),
      ),
    ).toEqual(["w[] is waiting as a wait, and is an approval there"]);
    expect(faults(before, pipeline([node("a", { kind: "call", calls: "x" }), waiting("w")]))).toEqual([]);
  });

  const mapped = pipeline(
    [node("a"), { ...node("m"), region: "m" }, waiting("w", ["m"])],
    [region("m", output("a"))],
  );

  test("not if items are in no list any more, or in another fan-out", () => {
    expect(faults(mapped, mapped)).toEqual([]);
    expect(faults(mapped, pipeline([...mapped.nodes], [region("m", value([1, 2]))]))).toEqual([
      "m[2] has no such item: its list is another one",
    ]);
    expect(faults(mapped, pipeline([node("a"), node("m"), waiting("w", ["m"])]))).toEqual([
      "m[0] stands in another fan-out there",
      "m[1] stands in another fan-out there",
      "m[2] stands in another fan-out there",
    ]);
  });

  test("with a task that is to be tried again, but not when its function has recorded something", () => {
    const retry = {
      retries: 2,
      backoff: "fixed",
      delayMs: 60_000,
      factor: 1,
      maxDelayMs: 60_000,
      jitter: "none",
    } as const;
    const trying = pipeline([node("a", { options: { ...plainOptions, retry } })]);
    expect(faults(trying, pipeline([node("a"), node("b", { after: ["a"] })]), failure)).toEqual([]);
    const bench = new Bench(trying).start();
    const token = bench.dispatch("a");
    const step = { name: "s", occurrence: 1, outcome: { kind: "value", value: { value: 1 } } } as const;
    bench.send({ kind: "step", token, step, events: [] });
    bench.send({ kind: "result", token, outcome: failure, random: 0 });
    const record = { ...bench.run, cancel: undefined };
    const graph = compileGraph(trying);
    expect(findMoveFaults(graph, graph, { record, rows: [...bench.rows.values()] })).toEqual([
      { node: "a", item: "", text: "has recorded steps or waits, which other code may not come to again" },
    ]);
  });
});
