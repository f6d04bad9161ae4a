import { expect, test } from "vitest";
import { z } from "zod";
import { pipeline, task } from "../src/index.ts";
import { loadProject } from "../src/internal.ts";

const list = task("list", async (input: { day: string }) => [{ file: input.day, size: 1 }]);
const clean = task("clean", { retries: 3, timeout: "5m" }, async (input: { file: string }, ctx) => {
  ctx.log.info("cleaning");
  return { rows: input.file.length };
});
const report = task("report", async (input: { parts: { rows: number }[]; first: number }) => input.first);

test("a pipeline becomes data: nodes, references, regions, output and parameters", () => {
  const daily = pipeline("daily", { params: z.object({ day: z.string() }) }, ({ params }) => {
    const files = list({ day: params.day });
    const parts = clean.map(files, (item) => ({ file: item.file }), { concurrency: 2 });
    return report({ parts, first: parts[0]!.rows });
  });
  const loaded = loadProject({ "a.ts": { daily } }, { project: "p", root: import.meta.dirname });
  expect(loaded.errors).toEqual([]);
  const [definition] = loaded.definition.pipelines;
  expect(definition?.nodes.map((node) => node.input)).toEqual([
    { kind: "object", entries: { day: { kind: "params", path: ["day"] } } },
    { kind: "object", entries: { file: { kind: "item", region: "clean", path: ["file"] } } },
    {
      kind: "object",
      entries: {
        parts: { kind: "output", node: "clean", path: [] },
        first: { kind: "output", node: "clean", path: [0, "rows"] },
      },
    },
  ]);
  expect(definition?.regions).toMatchObject([
    {
      id: "clean",
      over: [{ kind: "output", node: "list", path: [] }],
      combine: "zip",
      concurrency: 2,
      settled: false,
    },
  ]);
  expect(definition?.output).toEqual({ kind: "output", node: "report", path: [] });
  expect(definition?.nodes[0]?.source).toMatchObject({ file: "pipeline.test.ts", line: 15 });
  expect(loaded.taskFunction("daily", "clean")).toBeTypeOf("function");
});

test("a task that is called without an input gets none, so that its defaults hold", () => {
  // oxlint-disable-next-line typescript/no-useless-default-assignment -- the input may be left out
  const defaulted = task("defaulted", (day: string = "today") => day);
  const made = pipeline("made", () => {
    defaulted();
    defaulted("friday", { id: "given" });
  });
  const loaded = loadProject({ "a.ts": { made } }, { project: "p" });
  const call = (node: string, input: unknown) => loaded.taskFunction("made", node)?.(input, {});
  // What is recorded as the input of a call without one is null.
  expect(call("defaulted", null)).toBe("today");
  expect(call("given", "friday")).toBe("friday");
});
