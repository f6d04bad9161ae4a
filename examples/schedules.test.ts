/** The pipelines of `schedules` on virtual time, and changes of the clocks all over the world. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { on, pipeline, task } from "millrace";
import { testbed, type Testbed } from "millrace/testing";
import { describe, expect, test } from "vitest";
import * as schedules from "./schedules/pipelines/schedules.ts";

/** Instants at which runs of a pipeline started. */
function starts(t: Testbed, name: string): string[] {
  return t.firings
    .filter((firing) => firing.pipeline === name)
    .map(({ occurrence }) => new Date(occurrence).toISOString().slice(0, 16));
}

function intervals(t: Testbed, name: string): string[] {
  return t.firings
    .filter((firing) => firing.pipeline === name)
    .map(({ interval }) => `${shortTime(interval?.from)}-${shortTime(interval?.to)}`);
}

function shortTime(at: Date | undefined): string {
  return at?.toISOString().slice(11, 16) ?? "";
}

test("a pause leaves of a schedule what its policy says, and merged ticks carry the union", async () => {
  const { newest, eachHour, lastThree, onlyNow } = schedules;
  const all = { newest, eachHour, lastThree, onlyNow };
  const t = await testbed(all, { now: "2026-01-01T00:30:00Z" });
  for (const one of Object.values(all)) await t.pause(one);
  await t.advance("5h");
  const preview = await t.previewResume(newest);
  expect(preview).toHaveLength(1);
  for (const one of Object.values(all)) await t.resume(one);
  expect(intervals(t, "newest")).toEqual(["00:00-05:00"]);
  expect(intervals(t, "each-hour")).toEqual([
    "00:00-01:00",
    "01:00-02:00",
    "02:00-03:00",
    "03:00-04:00",
    "04:00-05:00",
  ]);
  expect(intervals(t, "last-three")).toEqual(["00:00-03:00", "03:00-04:00", "04:00-05:00"]);
  expect(intervals(t, "only-now")).toEqual([]);
  await t.advance("1h");
  for (const name of ["newest", "each-hour", "last-three", "only-now"])
    expect(intervals(t, name).at(-1)).toBe("05:00-06:00");
});

test("in Berlin clocks go forward on 29 March and back on 25 October", async () => {
  const { nightly, halfHourly, sixHourly } = schedules;
  const all = { nightly, halfHourly, sixHourly };
  const spring = await testbed(all, { now: "2026-03-28T23:00:00Z" });
  await spring.advance("23h");
  expect(starts(spring, "nightly")).toEqual(["2026-03-29T01:00"]);
  expect(starts(spring, "half-hourly")).toHaveLength(46);
  expect(starts(spring, "six-hourly").map((at) => at.slice(11))).toEqual([
    "05:00",
    "11:00",
    "17:00",
    "22:00",
  ]);
  const autumn = await testbed(all, { now: "2026-10-24T22:00:00Z" });
  await autumn.advance("25h");
  expect(starts(autumn, "nightly")).toEqual(["2026-10-25T00:30"]);
  expect(starts(autumn, "half-hourly")).toHaveLength(50);
});

test("the last weekday of a month, its second Monday, and a calendar of its own", async () => {
  const { payday, secondMonday, exchange } = schedules;
  const t = await testbed({ payday, secondMonday, exchange }, { now: "2026-11-28T12:00:00Z" });
  await t.advance("32d");
  expect(starts(t, "payday")).toEqual(["2026-11-30T08:00"]);
  expect(starts(t, "second-monday")).toEqual(["2026-12-14T08:00"]);
  const december = starts(t, "exchange").map((at) => at.slice(5, 10));
  expect(december).toContain("12-19");
  for (const closed of ["12-05", "12-20", "12-24", "12-25", "12-26", "12-27"])
    expect(december).not.toContain(closed);
  const [first] = t.firings.filter((firing) => firing.pipeline === "exchange");
  const delayMs = first!.at.getTime() - first!.occurrence;
  expect(delayMs).toBeGreaterThanOrEqual(0);
  expect(delayMs).toBeLessThan(300_000);
  const again = await testbed({ exchange }, { now: "2026-11-28T12:00:00Z" });
  await again.advance("3d");
  expect(again.firings[0]!.at).toEqual(first!.at);
});

describe("changes of the clocks", () => {
  const see = task("see", () => null);

  /** For a fixed time, each half hour, and days: what ran from one instant to another, in UTC. */
  test.each([
    {
      zone: "America/New_York, forward",
      tz: "America/New_York",
      from: "2026-03-08T05:00Z",
      hours: 23,
      fixed: "30 2 * * *",
      fixedAt: ["2026-03-08T07:00"],
      halfHours: 46,
      midnight: "2026-03-09T04:00",
    },
    {
      zone: "America/New_York, back",
      tz: "America/New_York",
      from: "2026-11-01T04:00Z",
      hours: 25,
      fixed: "30 1 * * *",
      fixedAt: ["2026-11-01T05:30"],
      halfHours: 50,
      midnight: "2026-11-02T05:00",
    },
    {
      zone: "Lord Howe, forward by half an hour",
      tz: "Australia/Lord_Howe",
      from: "2026-10-03T13:30Z",
      hours: 23.5,
      fixed: "15 2 * * *",
      fixedAt: ["2026-10-03T15:30"],
      halfHours: 47,
      midnight: "2026-10-04T13:00",
    },
    {
      zone: "Lord Howe, back by half an hour",
      tz: "Australia/Lord_Howe",
      from: "2026-04-04T13:00Z",
      hours: 24.5,
      fixed: "45 1 * * *",
      fixedAt: ["2026-04-04T14:45"],
      halfHours: 49,
      midnight: "2026-04-05T13:30",
    },
    {
      zone: "Apia, which skipped 30 December 2011",
      tz: "Pacific/Apia",
      from: "2011-12-29T10:00Z",
      hours: 48,
      fixed: "0 12 30 12 *",
      fixedAt: ["2011-12-30T10:00"],
      halfHours: 96,
      midnight: "2011-12-30T10:00",
    },
    {
      zone: "Casablanca, back for Ramadan",
      tz: "Africa/Casablanca",
      from: "2026-02-14T23:00Z",
      hours: 25,
      fixed: "30 2 * * *",
      fixedAt: ["2026-02-15T01:30"],
      halfHours: 50,
      midnight: "2026-02-16T00:00",
    },
    {
      zone: "Casablanca, forward after it",
      tz: "Africa/Casablanca",
      from: "2026-03-22T00:00Z",
      hours: 23,
      fixed: "30 2 * * *",
      fixedAt: ["2026-03-22T02:00"],
      halfHours: 46,
      midnight: "2026-03-22T23:00",
    },
  ])("$zone", async ({ tz, from, hours, fixed, fixedAt, halfHours, midnight }) => {
    const fixedTime = pipeline("fixed", { on: on.cron(fixed, { tz }) }, () => see());
    const halfHour = pipeline("half-hour", { on: on.cron("*/30 * * * *", { tz }) }, () => see());
    const days = pipeline("days", { on: on.every("1d", { tz }) }, () => see());
    const t = await testbed({ fixedTime, halfHour, days }, { now: from.replace("Z", ":00Z") });
    await t.advance(hours * 3_600_000);
    expect(starts(t, "fixed")).toEqual(fixedAt);
    expect(starts(t, "half-hour")).toHaveLength(halfHours);
    expect(starts(t, "days")[0]).toBe(midnight);
    expect(starts(t, "days").length).toBeGreaterThan(0);
  });
});

test("the page about schedules shows what was run", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/reference/schedules.md"), "utf8");
  const file = readFileSync(join(import.meta.dirname, "schedules/pipelines/schedules.ts"), "utf8");
  const shown = [...page.matchAll(/^```ts(?: follows)?\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  expect(shown.length).toBeGreaterThan(2);
  expect(shown.filter((code) => !file.includes(code))).toEqual([]);
});
