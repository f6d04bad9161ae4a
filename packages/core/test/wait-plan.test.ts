/** Where waits look back to, and after which position they find changes of probes by themselves. */
import { expect, test } from "vitest";
import type { Run, TaskRun } from "../src/run/state.ts";
import { nodeWait } from "../src/run/wait.ts";
import { joinedAfter, lookBackOf, lookBackToStart } from "../src/wait/wait-plan.ts";

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

test("a run that no entry fired, and a later generation, look back to where the log ended when they were made", () => {
  expect(lookBackOf(runOf({ tick: [] }), taskRun, nodeWait)).toBeUndefined();
  const rerun = runOf({ event: [member(9, "2026-03-01T08:00:02.500Z")] }, 2);
  expect(lookBackOf(rerun, taskRun, nodeWait)).toBeUndefined();
  expect(lookBackToStart(rerun, 12)).toMatchObject({ after: 12 });
  expect(joinedAfter(lookBackToStart(rerun, 12))).toBe(12);
  expect(joinedAfter(lookBackToStart(rerun, 0))).toBe(0);
});

test("an entry after a run's beginning is read, however the clocks of its server and of the log's owner differ", () => {
  expect(lookBackToStart(runOf({}), 12).since).toBeLessThan(createdAt - 3_600_000);
});

test("a run of which the position was not kept looks back by time, and what it finds by itself is not known", () => {
  const byTime = { after: 0, isByTime: true };
  expect(lookBackToStart(runOf({}), undefined)).toEqual({ ...byTime, since: createdAt });
  expect(lookBackToStart(runOf({}, 2), undefined)).toEqual({ ...byTime, since: createdAt + 1_000 });
  expect(joinedAfter(lookBackToStart(runOf({}), undefined))).toBeUndefined();
});
