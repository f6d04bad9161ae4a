/** Days and hours of zones, and what a calendar shows of schedules in them. */
import type { ScheduleTicksView } from "@millrace/protocol";
import { expect, test } from "vitest";
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
  const { entries, upcoming } = planOf([half], days, berlin);
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
  const { bands, entries, upcoming } = planOf([hourly, ...others], days, "UTC");
  expect(bands.map(({ pipeline }) => pipeline)).toEqual(["hourly", "cut"]);
  expect(entries.get(cellName("2026-11-27", 6))?.map((entry) => entry.schedule.pipeline)).toEqual([
    "paused",
    "join",
  ]);
  expect(new Set(upcoming.map((entry) => entry.schedule.pipeline))).toEqual(new Set(["hourly", "cut"]));
});
