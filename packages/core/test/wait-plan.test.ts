/** Where waits look back to, and since when they find changes of probes by themselves. */
import { expect, test } from "vitest";
import type { Run, TaskRun } from "../src/run/state.ts";
import { nodeWait } from "../src/run/wait.ts";
import { joinedSince, lookBackOf } from "../src/wait/wait-plan.ts";

const taskRun = { code: undefined } as TaskRun;
const createdAt = Date.parse("2026-03-01T08:00:05.000Z");
const member = (position: number, recordedAt: string) => ({ position, recordedAt });

function runOf(members: { readonly [operand: string]: unknown }, generation = 1): Run {
  const firing = { value: { members } };
  return { generation, createdAt, startedAt: createdAt + 1_000, firing } as unknown as Run;
}

test("a run that was fired looks back to the last entry that fired it, and to when that was recorded", () => {
  const run = runOf({
    placed: [member(7, "2026-03-01T08:00:01.000Z"), member(9, "2026-03-01T08:00:02.500Z")],
    paid: [member(8, "2026-03-01T08:00:02.000Z")],
  });
  const since = Date.parse("2026-03-01T08:00:02.500Z");
  expect(lookBackOf(run, taskRun, nodeWait)).toEqual({ after: 9, since });
});

test("what a probe saw before the entry that fired a run is before what its waits find by themselves", () => {
  const run = runOf({ event: [member(9, "2026-03-01T08:00:02.500Z")] });
  const changedAt = Date.parse("2026-03-01T08:00:02.500Z") + 0.9;
  expect(joinedSince(lookBackOf(run, taskRun, nodeWait))).toBeGreaterThan(changedAt);
});

test("a run that no entry fired, and a later generation, look back to their beginning", () => {
  expect(lookBackOf(runOf({ tick: [] }), taskRun, nodeWait)).toEqual({ after: 0, since: createdAt });
  const rerun = runOf({ event: [member(9, "2026-03-01T08:00:02.500Z")] }, 2);
  expect(lookBackOf(rerun, taskRun, nodeWait)).toEqual({ after: 0, since: createdAt + 1_000 });
  expect(joinedSince(lookBackOf(rerun, taskRun, nodeWait))).toBe(createdAt + 1_000);
});
