import type { RunSummary, TaskRunState, TaskRunView } from "@millrace/protocol";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { RunPicture } from "@millrace/protocol/run-picture";
import { headLine, treeLines } from "../../src/run-view/tree.ts";

const run: RunSummary = {
  id: "r0000000000000001",
  pipeline: "flow",
  project: "shop",
  state: "running",
  generation: 1,
  bundle: "b",
  labels: {},
  createdAt: "2026-01-01T00:00:00.000Z",
  startedAt: "2026-01-01T00:00:00.000Z",
};
const now = Date.parse("2026-01-01T00:00:10.000Z");
const options = { paint: createColors(false), width: 100, now, linesMax: 20 };

function taskRun(id: string, item: string, state: TaskRunState): TaskRunView {
  return { id, item, state, generation: 1, attempts: [], startedAt: "2026-01-01T00:00:01.000Z" };
}

test("ten thousand items are one line with their counts", () => {
  const picture = new RunPicture(run, undefined);
  for (let item = 0; item < 10_000; item += 1) {
    picture.apply({ kind: "node", node: taskRun("ship", String(item), item < 400 ? "succeeded" : "queued") });
  }
  const lines = treeLines(picture, options);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("400/10000");
  expect(lines[0]).toContain("9600 queued");
});

test("queued items tell what they wait for", () => {
  const picture = new RunPicture(run, undefined);
  picture.apply({ kind: "node", node: taskRun("ship", "0", "running") });
  const reason = { code: "pool_full", message: "It takes 1 slot of the pool." };
  picture.apply({ kind: "node", node: { ...taskRun("ship", "1", "queued"), reason } });
  expect(treeLines(picture, options)[0]).toMatch(/1 running {2}1 queued {2}It takes 1 slot of the pool\.$/);
});

test("a failed item shows its error and the last lines of its log", () => {
  const picture = new RunPicture(run, undefined);
  picture.apply({ kind: "node", node: taskRun("ship", "0", "succeeded") });
  picture.apply({ kind: "node", node: taskRun("ship", "1", "running") });
  for (const [position, text] of ["one", "two \u001B[2Jcleared"].entries()) {
    const entry = { node: "ship", item: "1", generation: 1, attempt: 1, position };
    picture.apply({ kind: "log", entry: { ...entry, at: now, stream: "stdout", level: "info", text } });
  }
  const failed = { ...taskRun("ship", "1", "failed"), attempts: [failedAttempt("no stamps")] };
  picture.apply({ kind: "node", node: failed });
  const lines = treeLines(picture, options);
  expect(lines[0]).toContain("✕ ship");
  expect(lines[1]).toContain("item 1: Error: no stamps");
  expect(lines[2]).toContain("│ one");
  expect(lines.join("")).not.toContain("\u001B");
});

function failedAttempt(message: string): TaskRunView["attempts"][number] {
  const error = { name: "Error", message };
  return { generation: 1, attempt: 1, dispatch: 1, state: "failed", startedAt: run.createdAt, error };
}

test("what does not fit is folded, and what is quiet goes first", () => {
  const picture = new RunPicture(run, undefined);
  for (let node = 0; node < 40; node += 1) {
    picture.apply({ kind: "node", node: taskRun(`n${node}`, "", node === 30 ? "running" : "succeeded") });
  }
  const lines = treeLines(picture, { ...options, linesMax: 10 });
  expect(lines).toHaveLength(10);
  expect(lines.some((line) => line.includes("◐ n30"))).toBe(true);
  expect(lines.at(-1)).toContain("31 succeeded");
});

test("a rerun begins a new picture", () => {
  const picture = new RunPicture(run, undefined);
  picture.apply({ kind: "node", node: taskRun("old", "", "failed") });
  picture.apply({ kind: "run", run: { ...run, generation: 2 } });
  expect(picture.nodes()).toEqual([]);
  expect(headLine(picture.run, options)).toContain("generation 2");
});

test("no line is wider than the terminal", () => {
  const picture = new RunPicture(run, undefined);
  picture.apply({
    kind: "node",
    node: taskRun("a-name-that-is-much-longer-than-any-terminal-is-wide".repeat(3), "", "running"),
  });
  for (const line of treeLines(picture, { ...options, width: 40 })) {
    expect(Array.from(line).length).toBeLessThanOrEqual(44);
  }
});
