/** Runs as rows of blocks. */
import type { RunBlockView, TimelineView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { chosenRows, rowsOf } from "../src/parts/timeline/rows.ts";

const minute = 60_000;
const now = Date.UTC(2026, 0, 1, 12);
const at = (minutes: number): string => new Date(now + minutes * minute).toISOString();

function run(
  pipeline: string,
  from: number,
  to?: number,
  state: RunBlockView["state"] = "succeeded",
): RunBlockView {
  const ended = to === undefined ? {} : { endedAt: at(to) };
  return {
    id: `${pipeline}${from}`,
    pipeline,
    state,
    generation: 1,
    createdAt: at(from),
    startedAt: at(from),
    ...ended,
  };
}

function view(runs: readonly RunBlockView[], ticks: TimelineView["ticks"] = []): TimelineView {
  const rest = { events: [], pace: [], paceMs: minute };
  return { from: at(-60), now: at(0), until: at(20), runs, ticks, ...rest };
}

test("runs that lie over each other take lines of their own, up to four", () => {
  const [row] = rowsOf(view([run("a", -50, -40), run("a", -45, -30), run("a", -39, -35)]));
  expect(row!.lines).toBe(2);
  expect(row!.blocks.map(({ line }) => line)).toEqual([0, 1, 0]);
  const crowd = rowsOf(view(Array.from({ length: 9 }, (_, index) => run("a", -50 + index, -10))));
  expect(crowd[0]!.lines).toBe(4);
});

test("a run that has not ended reaches up to now, and a pipeline that is only due has a row", () => {
  const rows = rowsOf(view([run("b", -5, undefined, "running")], [{ pipeline: "a", at: at(10) }]));
  expect(rows.map(({ pipeline, isAlive }) => [pipeline, isAlive])).toEqual([
    ["a", false],
    ["b", true],
  ]);
  expect(rows[1]!.blocks[0]!.end).toBe(now);
});

test("where there are many, what is alive is shown first, in the order of names", () => {
  const calm = Array.from({ length: 5 }, (_, index) => run(`p${index}`, -50 + index, -49 + index));
  const rows = rowsOf(view([...calm, run("z", -50, -49, "failed")]));
  expect(chosenRows(rows, 3).map(({ pipeline }) => pipeline)).toEqual(["p3", "p4", "z"]);
  expect(chosenRows(rows, 6).length).toBe(6);
});
