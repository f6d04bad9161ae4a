/** Days and hours of zones, and what a calendar shows of schedules in them. */
import type { ScheduleRunsView, ScheduleTicksView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { Outcomes } from "../src/pages/schedules/outcome.ts";
import { cellName, planOf } from "../src/pages/schedules/plan.ts";
import { addDays, isZone, mondayOf, startOfDay, wallOf, zonedDay } from "../src/pages/schedules/zoned.ts";

const hourMs = 3_600_000;
const berlin = "Europe/Berlin";

test("a day begins at its own midnight, also beside a change of the clocks, and where midnight is skipped", () => {
  expect(new Date(startOfDay(berlin, "2026-11-27")).toISOString()).toBe("2026-11-26T23:00:00.000Z");
  expect(new Date(startOfDay(berlin, "2027-03-28")).toISOString()).toBe("2027-03-27T23:00:00.000Z");
  expect(new Date(startOfDay(berlin, "2027-03-29")).toISOString()).toBe("2027-03-28T22:00:00.000Z");
  expect(new Date(startOfDay("America/New_York", "2026-11-01")).toISOString()).toBe(
    "2026-11-01T04:00:00.000Z",
  );
  // In Beirut clocks went from 00:00 to 01:00 that day.
  expect(wallOf("Asia/Beirut", startOfDay("Asia/Beirut", "2022-03-27"))).toEqual({
    day: "2022-03-27",
    hour: 1,
    minute: 0,
  });
  expect(startOfDay("Pacific/Kiritimati", "2026-01-02")).toBe(Date.UTC(2026, 0, 1, 10));
});

test("days have the hours that their clocks show", () => {
  const forward = zonedDay(berlin, "2027-03-28");
  expect([(forward.to - forward.from) / hourMs, forward.hours[2], forward.hours[3]]).toEqual([23, 0, 1]);
  const back = zonedDay(berlin, "2026-10-25");
  expect([(back.to - back.from) / hourMs, back.hours[2], back.hours[3]]).toEqual([25, 2, 1]);
  expect(zonedDay("UTC", "2026-10-25").hours).toEqual(Array.from({ length: 24 }, () => 1));
});

test("clocks that change by half an hour skip half of an hour, or show half of one twice; others change at their own days", () => {
  const howe = "Australia/Lord_Howe";
  const back = zonedDay(howe, "2026-04-05");
  expect([(back.to - back.from) / hourMs, back.hours[0], back.hours[1], back.hours[2]]).toEqual([
    24.5, 1, 1.5, 1,
  ]);
  const forward = zonedDay(howe, "2026-10-04");
  expect([(forward.to - forward.from) / hourMs, forward.hours[1], forward.hours[2]]).toEqual([23.5, 1, 0.5]);
  const newYork = zonedDay("America/New_York", "2026-03-08");
  expect([(newYork.to - newYork.from) / hourMs, newYork.hours[2]]).toEqual([23, 0]);
  const katmandu = zonedDay("Asia/Kathmandu", "2026-03-29");
  expect([new Date(katmandu.from).toISOString(), katmandu.hours]).toEqual([
    "2026-03-28T18:15:00.000Z",
    Array.from({ length: 24 }, () => 1),
  ]);
});

test("weeks begin on Monday, and a zone that is none is none", () => {
  expect(["2026-11-23", "2026-11-27", "2026-11-29"].map(mondayOf)).toEqual(Array(3).fill("2026-11-23"));
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  expect([isZone(berlin), isZone("Mars/Olympus")]).toEqual([true, false]);
});

function schedule(
  pipeline: string,
  ticks: readonly string[],
  parts: Partial<ScheduleTicksView> = {},
): ScheduleTicksView {
  return { pipeline, schedule: "", paused: false, alone: true, ticks, ...parts };
}

test("ticks stand at their hour; in one that comes twice each says which it is", () => {
  const days = [zonedDay(berlin, "2026-10-25")];
  const half = schedule("half", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T05:00:00Z"]);
  const { entries, upcoming } = planOf([half], { days, zone: berlin, outcomes: new Outcomes([]), now: 0 });
  expect(entries.get(cellName("2026-10-25", 2))?.map(({ time }) => time)).toEqual([
    "02:30 +02:00",
    "02:30 +01:00",
  ]);
  expect(entries.get(cellName("2026-10-25", 6))?.map(({ time }) => time)).toEqual(["06:00"]);
  expect(upcoming).toHaveLength(3);
});

test("what ticks often is a band, and what is paused or asks for more starts nothing by itself", () => {
  const days = [zonedDay("UTC", "2026-11-27")];
  const hourly = schedule(
    "hourly",
    Array.from({ length: 24 }, (_, hour) => new Date(Date.UTC(2026, 10, 27, hour)).toISOString()),
  );
  const six = ["2026-11-27T06:00:00Z"];
  const others = [
    schedule("paused", six, { paused: true }),
    schedule("join", six, { alone: false }),
    schedule("cut", six, { ticksAreMore: true }),
  ];
  const { bands, entries, upcoming } = planOf([hourly, ...others], {
    days,
    zone: "UTC",
    outcomes: new Outcomes([]),
    now: 0,
  });
  expect(bands.map((band) => band.schedule.pipeline)).toEqual(["hourly", "cut"]);
  expect(entries.get(cellName("2026-11-27", 6))?.map((entry) => entry.schedule.pipeline)).toEqual([
    "paused",
    "join",
  ]);
  expect(new Set(upcoming.map((entry) => entry.schedule.pipeline))).toEqual(new Set(["hourly", "cut"]));
});

const noon = Date.UTC(2026, 10, 27, 12);
const at = (minutes: number): string => new Date(noon + minutes * 60_000).toISOString();

function runsOf(parts: Partial<ScheduleRunsView>): Outcomes {
  return new Outcomes([{ pipeline: "p", since: at(-600), ticks: [], ...parts }]);
}

test("a past tick says what became of it: it ran, late or not, had no run, was missed, is kept, or was nobody's", () => {
  const outcomes = runsOf({
    pausedSince: at(-20),
    ticks: [
      { at: at(-300), run: "r1", state: "succeeded", createdAt: at(-300), startedAt: at(-300) },
      { at: at(-240), run: "r2", state: "failed", createdAt: at(-200), startedAt: at(-200) },
      { at: at(-180), run: "r3", state: "succeeded", createdAt: at(-180), startedAt: at(-170) },
      { at: at(-120), reason: "it is full" },
      { at: at(-100), run: "r4", state: "superseded", reason: "a later one came" },
    ],
  });
  const became = (minutes: number, parts: Partial<ScheduleTicksView> = {}) =>
    outcomes.became(schedule("p", [], parts), noon + minutes * 60_000, noon);
  expect(became(-300)).toEqual({ kind: "ran", run: "r1", state: "succeeded" });
  expect(became(-240)).toMatchObject({ late: { ms: 40 * 60_000, why: "caught up" } });
  expect(became(-180)).toMatchObject({ late: { ms: 10 * 60_000, why: "waited" } });
  expect(became(-180, { jitterMs: 3_600_000 })).not.toHaveProperty("late");
  expect(became(-120)).toEqual({ kind: "no run", reason: "it is full" });
  expect(became(-100)).toEqual({ kind: "no run", reason: "a later one came" });
  expect(became(-60)).toEqual({ kind: "missed" });
  expect(became(-60, { alone: false })).toEqual({ kind: "unknown" });
  expect(became(-10)).toEqual({ kind: "kept" });
  expect(became(-700)).toEqual({ kind: "before" });
  expect(became(5)).toEqual({ kind: "coming" });
});

test("what is earlier than the ticks that were told is not called missed", () => {
  const outcomes = runsOf({ ticksAreMore: true, ticks: [{ at: at(-60), run: "r", state: "running" }] });
  expect(outcomes.became(schedule("p", []), noon - 120 * 60_000, noon)).toEqual({ kind: "unknown" });
});

test("a run overlaps the next tick as its last runs say: always by the median, often by the 95th percentile", () => {
  const outcomes = runsOf({ took: { p50Ms: 30_000, p95Ms: 90_000, runs: 20 } });
  const overlap = (next: number | undefined, parts: Partial<ScheduleTicksView> = {}) =>
    outcomes.overlap(schedule("p", [], parts), next, 0);
  expect([overlap(20_000), overlap(60_000), overlap(100_000), overlap(undefined)]).toEqual([
    "always",
    "often",
    undefined,
    undefined,
  ]);
  expect(overlap(20_000, { paused: true })).toBeUndefined();
  expect(runsOf({}).overlap(schedule("p", []), 1, 0)).toBeUndefined();
});
