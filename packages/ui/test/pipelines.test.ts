/** Which pipelines are shown; source and differences as lines. */
import type { PipelineSummary } from "@millrace/protocol";
import { expect, test } from "vitest";
import { highlighted } from "../src/pages/pipeline/highlight.ts";
import { diffLines, folded } from "../src/pages/pipeline/line-diff.ts";
import { chosenPipelines, tagsOf } from "../src/pages/pipelines/choose.ts";

const one = (name: string, parts: Partial<PipelineSummary> = {}): PipelineSummary => ({
  name,
  project: "p",
  tags: [],
  paused: false,
  pausedByOperator: false,
  retired: false,
  nodes: 1,
  bundle: "b",
  ...parts,
});
const ran = (state: "failed" | "succeeded", day: number) => ({
  lastRun: { id: "r", state, createdAt: new Date(Date.UTC(2026, 0, day)).toISOString() },
});
const pipelines = [
  one("a", { tags: ["x"], owner: "shop", description: "Loads orders", ...ran("succeeded", 1) }),
  one("b", { tags: ["x", "y"], paused: true, ...ran("failed", 2) }),
  one("c", { retired: true }),
];
const names = (chosen: Parameters<typeof chosenPipelines>[1], due?: ReadonlyMap<string, string>): string =>
  chosenPipelines(pipelines, chosen, due)
    .map(({ name }) => name)
    .join("");

test("pipelines are found by name, description, tag, owner and state", () => {
  expect(names({})).toBe("abc");
  expect(names({ find: "ORDERS" })).toBe("a");
  expect(names({ tag: "x" })).toBe("ab");
  expect(names({ owner: "shop", tag: "y" })).toBe("");
  expect(["failed", "paused", "retired", "never ran", "on"].map((state) => names({ state }))).toEqual([
    "b",
    "b",
    "c",
    "c",
    "a",
  ]);
  expect(tagsOf(pipelines)).toEqual({ tags: ["x", "y"], owners: ["shop"] });
});

test("pipelines are sorted by what ran last, what failed, and what comes next", () => {
  expect(names({ sort: "last" })).toBe("bac");
  expect(names({ sort: "state" })).toBe("bac");
  expect(names({ sort: "next" }, new Map([["c", "2026-01-01T00:00:00Z"]]))).toBe("cab");
});

test("source is cut into lines of tokens, and nothing of it is lost", () => {
  const source = 'const a = "x"; // new\n/* of\ntwo */ `a\n${b}` 1_000 .new';
  const lines = highlighted(source);
  expect(lines.map((line) => line.map(({ text }) => text).join("")).join("\n")).toBe(source);
  expect(lines[0]!.map(({ kind }) => kind)).toEqual(["word", "plain", "text", "plain", "comment"]);
  expect(lines[1]).toEqual([{ kind: "comment", text: "/* of" }]);
  expect(lines[3]!.at(-1)).toEqual({ kind: "plain", text: " .new" });
});

test("what differs between two texts is told line by line, with what stands around it", () => {
  const old = Array.from({ length: 20 }, (_, at) => `line ${at + 1}`);
  const now = [...old.slice(0, 9), "new", ...old.slice(10), "end"];
  const parts = folded(diffLines(old.join("\n"), now.join("\n")), 1);
  expect(parts).toEqual([
    8,
    { kind: "same", text: "line 9", line: 9 },
    { kind: "removed", text: "line 10", line: 10 },
    { kind: "added", text: "new", line: 10 },
    { kind: "same", text: "line 11", line: 11 },
    8,
    { kind: "same", text: "line 20", line: 20 },
    { kind: "added", text: "end", line: 21 },
  ]);
  expect(diffLines("a", "a")).toEqual([{ kind: "same", text: "a", line: 1 }]);
});
