/** The way that took longest, and what a task run did with its time. */
import { describe, expect, test } from "vitest";
import type { AttemptView, TaskRunView } from "@millrace/protocol";
import { withEarlierAttempts } from "../src/pages/run/earlier-attempts.ts";
import { criticalPath, criticalText, type TimedNode } from "../src/parts/timeline/critical-path.ts";
import { offsetMarks } from "../src/parts/timeline/gantt.ts";
import { segmentsOf } from "../src/parts/timeline/segments.ts";

function node(id: string, parents: string[], startedAt?: number, endedAt?: number): TimedNode {
  return { id, parents, startedAt, endedAt };
}

const span = { from: 0, until: 100_000 };

function told(nodes: readonly TimedNode[], until = 100_000): [string, number, number, number][] {
  return criticalPath(nodes, { from: 0, until }).map((step) => [
    step.id,
    step.readyAt,
    step.startedAt,
    step.until,
  ]);
}

describe("the longest way", () => {
  test("leads from what ended last over what it waited for to the beginning", () => {
    const nodes = [
      node("extract", [], 1_000, 20_000),
      node("quick", [], 0, 2_000),
      node("load", ["extract", "quick"], 30_000, 90_000),
      node("beside", ["quick"], 2_000, 80_000),
      node("end", ["load", "beside"], 90_000, 100_000),
    ];
    expect(told(nodes)).toEqual([
      ["extract", 0, 1_000, 20_000],
      ["load", 20_000, 30_000, 90_000],
      ["end", 90_000, 90_000, 100_000],
    ]);
    expect(criticalText(criticalPath(nodes, span), span)).toBe(
      "The longest way: extract 19s → load 1m 00s → end 10s, 89 % of the run; 11 % of it queued.",
    );
  });

  test("ends with what goes on, and takes a rule's first parent, not one that ended later", () => {
    const nodes = [
      node("a", [], 0, 10_000),
      node("b", [], 0, 40_000),
      node("first", ["a", "b"], 10_000),
      node("none", ["b"]),
    ];
    expect(told(nodes, 60_000)).toEqual([
      ["a", 0, 0, 10_000],
      ["first", 10_000, 10_000, 60_000],
    ]);
  });

  test("counts items that follow each other by the ends of all, and nothing of an earlier generation", () => {
    const nodes = [
      node("kept", [], -50_000, -20_000),
      node("a", ["kept"], 0, 70_000),
      node("b", ["a"], 5_000, 100_000),
    ];
    expect(told(nodes)).toEqual([
      ["a", 0, 0, 70_000],
      ["b", 70_000, 70_000, 100_000],
    ]);
    expect(told([])).toEqual([]);
    expect(criticalText([], span)).toBeUndefined();
  });

  test("of very many nodes is found at once, and its sentence stays short", () => {
    const nodes = Array.from({ length: 5_000 }, (_, at) =>
      node(`n${at}`, at === 0 ? [] : [`n${at - 1}`], at * 20, (at + 1) * 20),
    );
    const began = performance.now();
    const steps = criticalPath(nodes, span);
    expect(performance.now() - began).toBeLessThan(200);
    expect(steps).toHaveLength(5_000);
    expect(criticalText(steps, span)!.length).toBeLessThan(200);
  });
});

function attempt(
  number: number,
  state: AttemptView["state"],
  startedAt: number,
  endedAt?: number,
): AttemptView {
  return {
    generation: 1,
    attempt: number,
    dispatch: number,
    state,
    startedAt: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
  };
}

function taskRun(
  state: TaskRunView["state"],
  attempts: AttemptView[],
  more: Partial<TaskRunView> = {},
): TaskRunView {
  return { id: "a", item: "", state, generation: 1, attempts, ...more };
}

function kinds(given: TaskRunView, isWait = false): [string, number, number][] {
  return segmentsOf({ taskRun: given, isWait, readyAt: 10, from: 0, now: 1_000 }).map(
    ({ kind, from, until }) => [kind, from, until],
  );
}

describe("a task run's time", () => {
  test("is queued, attempts, what is between them, and waits that gave the slot back", () => {
    const attempts = [
      attempt(1, "failed", 100, 200),
      attempt(2, "suspended", 300, 400),
      attempt(2, "lost", 600, 700),
      attempt(2, "succeeded", 750, 800),
    ];
    expect(kinds(taskRun("succeeded", attempts, { endedAt: new Date(800).toISOString() }))).toEqual([
      ["queued", 10, 100],
      ["ran", 100, 200],
      ["between", 200, 300],
      ["ran", 300, 400],
      ["waited", 400, 600],
      ["ran", 600, 700],
      ["queued", 700, 750],
      ["ran", 750, 800],
    ]);
  });

  test("goes on as it is now", () => {
    expect(kinds(taskRun("retrying", [attempt(1, "failed", 100, 200)]))).toEqual([
      ["queued", 10, 100],
      ["ran", 100, 200],
      ["between", 200, 1_000],
    ]);
    expect(kinds(taskRun("queued", []))).toEqual([["queued", 10, 1_000]]);
    expect(kinds(taskRun("pending", []))).toEqual([]);
    expect(kinds(taskRun("waiting", [], { startedAt: new Date(50).toISOString() }), true)).toEqual([
      ["queued", 10, 50],
      ["waited", 50, 1_000],
    ]);
  });
});

test("earlier attempts stay as live events tell of the last one alone", () => {
  const first = attempt(1, "running", 100);
  const retrying = withEarlierAttempts(taskRun("running", [first]), taskRun("retrying", []), 200);
  expect(retrying.attempts).toEqual([attempt(1, "failed", 100, 200)]);
  const second = withEarlierAttempts(retrying, taskRun("running", [attempt(2, "running", 300)]), 300);
  expect(second.attempts.map(({ state }) => state)).toEqual(["failed", "running"]);
  const done = withEarlierAttempts(second, taskRun("succeeded", [attempt(2, "succeeded", 300, 400)]), 400);
  expect(done.attempts.map(({ state }) => state)).toEqual(["failed", "succeeded"]);
  // A newer snapshot tells all of them.
  const whole = taskRun("succeeded", [attempt(1, "failed", 100, 150), attempt(2, "succeeded", 300, 400)]);
  expect(withEarlierAttempts(done, whole, 400)).toBe(whole);
});

test("the axis has round marks, a few of them", () => {
  expect(offsetMarks({ from: 0, until: 5_300 }).map(({ text }) => text)).toEqual([
    "+1 s",
    "+2 s",
    "+3 s",
    "+4 s",
    "+5 s",
  ]);
  expect(offsetMarks({ from: 0, until: 400_000 }).map(({ text }) => text)).toEqual([
    "+2 min",
    "+4 min",
    "+6 min",
  ]);
  for (const until of [1, 30, 90_000, 7_200_000, 40 * 86_400_000])
    expect(offsetMarks({ from: 0, until }).length).toBeLessThanOrEqual(6);
});
