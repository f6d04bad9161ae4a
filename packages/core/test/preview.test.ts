import { describe, expect, test } from "vitest";
import { previewMark, previewPlan, type AffectedNode } from "../src/run/preview.ts";
import { planMark, planRerun } from "../src/run/rerun.ts";
import { Bench, failure, nameOf, node, output, pipeline, region, success } from "./build.ts";

const mapped = pipeline(
  [
    node("list"),
    node("a", { region: "m" }),
    node("b", { region: "m", after: ["a"] }),
    node("join", { input: output("b") }),
    node("beside"),
  ],
  [region("m", output("list"))],
);

function told(nodes: readonly AffectedNode[]): string[] {
  return nodes.map(({ node: name, items, states }) =>
    [name, ...items, ...[...states].map(([state, count]) => `${count} ${state}`)].join(" "),
  );
}

function failedRun(): Bench {
  const bench = new Bench(mapped).start();
  return bench.drain((taskRun) =>
    nameOf(taskRun) === "a[1]" ? failure : success(nameOf(taskRun) === "list[]" ? [1, 2] : nameOf(taskRun)),
  );
}

describe("the preview of a rerun", () => {
  test("tells what its plan keeps, and what starts afresh", () => {
    const bench = failedRun();
    const rows = [...bench.rows.values()];
    const kept = planRerun(bench.graph, rows, { kind: "failed", nodes: [] });
    const { again, stays, added, gone } = previewPlan(bench.graph, rows, kept);
    expect(told(again)).toEqual(["a 1 1 failed", "b 1 1 upstream_failed", "join 1 upstream_failed"]);
    expect(told(stays)).toEqual([
      "list 1 succeeded",
      "a 0 1 succeeded",
      "b 0 1 succeeded",
      "beside 1 succeeded",
    ]);
    expect([added, gone]).toEqual([[], []]);
    // What then runs is what was told.
    const next = new Bench(mapped, { rows: kept, generation: 2 }).start();
    next.drain((taskRun) => success(nameOf(taskRun)));
    const ran = [...next.rows.values()].filter(({ generation }) => generation === 2);
    expect(ran.map(nameOfRow).sort()).toEqual(["a[1]", "b[1]", "join"]);
  });

  test("names nodes that the newer version has added or does not have", () => {
    const rows = [...failedRun().rows.values()];
    const { graph } = new Bench(pipeline([node("list"), node("beside"), node("new", { after: ["list"] })]));
    const { added, gone, again } = previewPlan(
      graph,
      rows,
      planRerun(graph, rows, { kind: "all", nodes: [] }),
    );
    expect([added, gone, told(again)]).toEqual([
      ["new"],
      ["a", "b", "join"],
      ["list 1 succeeded", "beside 1 succeeded"],
    ]);
  });
});

describe("the preview of a mark", () => {
  test("of a run that has ended tells what is decided again", () => {
    const bench = failedRun();
    const rows = [...bench.rows.values()];
    const mark = {
      node: "a",
      item: "1",
      state: "succeeded",
      output: undefined,
      reason: { code: "marked", message: "" },
    } as const;
    const { again, stays } = previewPlan(bench.graph, rows, planMark(bench.graph, rows, mark, 2));
    expect(told(again)).toEqual(["b 1 1 upstream_failed", "join 1 upstream_failed"]);
    expect(told(stays)).toEqual([
      "list 1 succeeded",
      "a 0 1 succeeded",
      "b 0 1 succeeded",
      "beside 1 succeeded",
    ]);
  });

  test("of a run that goes on tells what it decides and what is still to be decided below", () => {
    const bench = new Bench(
      pipeline([node("a"), node("b", { after: ["a"] }), node("c", { after: ["b"] }), node("d")]),
    ).start();
    const message = {
      kind: "mark",
      node: "a",
      item: "",
      state: "failed",
      output: { value: null },
      reason: { code: "marked", message: "" },
    } as const;
    const { again, stays } = previewMark(bench.run, message, 0);
    expect([told(again), told(stays)]).toEqual([["b 1 pending", "c 1 pending"], ["d 1 queued"]]);
  });
});

function nameOfRow({ node: name, item }: { readonly node: string; readonly item: string }): string {
  return item === "" ? name : `${name}[${item}]`;
}
