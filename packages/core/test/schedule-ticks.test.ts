import { expect, test } from "vitest";
import { parseSchedule } from "../src/schedule/parse.ts";
import { dueTime } from "../src/schedule/jitter.ts";
import {
  dataInterval,
  nextTick,
  previousTick,
  ticksBetween,
  ticksMissed,
  type CatchUp,
} from "../src/schedule/ticks.ts";

const utc = (text: string) => Date.parse(`${text}Z`);
const hourly = parseSchedule({ kind: "cron", expression: "0 * * * *" });
const businessDaily = parseSchedule({
  kind: "cron",
  expression: "0 6 * * *",
  tz: "Europe/Berlin",
  calendar: { businessDays: true },
});

test("a tick's data interval reaches from the tick before it to the tick", () => {
  expect(dataInterval(hourly, utc("2026-01-01T05:00"))).toEqual({
    startMs: utc("2026-01-01T04:00"),
    endMs: utc("2026-01-01T05:00"),
  });
});

test("days without ticks belong to the interval of the tick after them", () => {
  expect(dataInterval(businessDaily, utc("2026-03-30T04:00"))).toEqual({
    startMs: utc("2026-03-27T05:00"),
    endMs: utc("2026-03-30T04:00"),
  });
});

test("nothing lies before the first instant of a list", () => {
  const list = parseSchedule({ kind: "at", instants: [1_000, 5_000] });
  expect(dataInterval(list, 1_000)).toEqual({ startMs: 1_000, endMs: 1_000 });
  expect(dataInterval(list, 5_000)).toEqual({ startMs: 1_000, endMs: 5_000 });
  expect([nextTick(list, 5_000), previousTick(list, 1_000)]).toEqual([undefined, undefined]);
});

test.each<[CatchUp, [tick: string, from: string][]]>([
  [
    "all",
    [
      ["03:00", "02:00"],
      ["04:00", "03:00"],
      ["05:00", "04:00"],
      ["06:00", "05:00"],
    ],
  ],
  ["latest", [["06:00", "02:00"]]],
  ["none", []],
  [{ limit: 1 }, [["06:00", "02:00"]]],
  [
    { limit: 2 },
    [
      ["05:00", "02:00"],
      ["06:00", "05:00"],
    ],
  ],
])("after an outage, %j runs these ticks with the data of those merged into them", (catchUp, expected) => {
  const span = { lastMs: utc("2026-01-01T02:00"), nowMs: utc("2026-01-01T06:30") };
  const due = ticksMissed(hourly, span, catchUp, 100);
  const time = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  expect(due.map(({ tickMs, interval }) => [time(tickMs), time(interval.startMs)])).toEqual(expected);
  expect(due.every(({ tickMs, interval }) => interval.endMs === tickMs)).toBe(true);
});

test("a tick that is due now is one of the missed, and the last one that ran is not", () => {
  const span = { lastMs: utc("2026-01-01T02:00"), nowMs: utc("2026-01-01T03:00") };
  expect(ticksMissed(hourly, span, "all", 9).map(({ tickMs }) => tickMs)).toEqual([utc("2026-01-01T03:00")]);
});

test("a clock that went back, or stood still, misses nothing", () => {
  const lastMs = utc("2026-01-01T02:00");
  expect(ticksMissed(hourly, { lastMs, nowMs: lastMs }, "all", 9)).toEqual([]);
  expect(ticksMissed(hourly, { lastMs, nowMs: utc("2025-06-01T00:00") }, "latest", 9)).toEqual([]);
});

test("catching up in parts gives the same ticks and intervals as all at once", () => {
  const span = { lastMs: utc("2026-01-01T00:00"), nowMs: utc("2026-01-02T00:00") };
  const whole = ticksMissed(hourly, span, "all", 100);
  const parts = [];
  let { lastMs } = span;
  for (;;) {
    const part = ticksMissed(hourly, { ...span, lastMs }, "all", 7);
    parts.push(...part);
    if (part.length < 7) break;
    lastMs = part.at(-1)?.tickMs ?? Infinity;
  }
  expect(parts).toEqual(whole);
  expect(whole).toHaveLength(24);
});

test("`latest` after years of outage asks for a few ticks, not for all", () => {
  const secondly = parseSchedule({ kind: "every", every: "1s" });
  const span = { lastMs: utc("2001-01-01T00:00"), nowMs: utc("2026-01-01T00:00") };
  expect(ticksMissed(secondly, span, "latest", 10)).toEqual([
    { tickMs: span.nowMs, interval: { startMs: span.lastMs, endMs: span.nowMs } },
  ]);
});

test("ticks between two times leave out the first time, include the second, and stop at their number", () => {
  const from = utc("2026-01-01T00:00");
  const to = utc("2026-01-01T03:00");
  expect(ticksBetween(hourly, from, to, 9)).toHaveLength(3);
  expect(ticksBetween(hourly, from - 1, to - 1, 9)).toHaveLength(3);
  expect(ticksBetween(hourly, from, to, 2)).toEqual([from + 3_600_000, from + 7_200_000]);
});

test("time has ends: there are no ticks before 1900 and after 2900", () => {
  expect(nextTick(hourly, Date.UTC(3000, 0))).toBeUndefined();
  expect(previousTick(hourly, Date.UTC(1850, 0))).toBeUndefined();
  expect(nextTick(hourly, -1e15)).toBe(Date.UTC(1900, 0));
  expect(previousTick(hourly, 1e18)).toBe(Date.UTC(2900, 0));
});

test("jitter depends on who asks and for which tick, and never passes the next tick", () => {
  const schedule = parseSchedule({ kind: "every", every: "1m", jitterMs: 3_600_000 });
  const tick = utc("2026-01-01T06:00");
  const delays = new Set([
    dueTime(schedule, "report", tick) - tick,
    dueTime(schedule, "other", tick) - tick,
    dueTime(schedule, "report", tick + 60_000) - tick - 60_000,
  ]);
  expect(delays.size).toBe(3);
  for (const delay of delays) expect(delay).toBeLessThan(60_000);
});

test("a hundred thousand schedules are asked in seconds, and a year of hourly ticks takes less than one", () => {
  const zones = ["UTC", "Europe/Berlin", "America/New_York"];
  const schedules = Array.from({ length: 100_000 }, (_, index) =>
    parseSchedule({
      kind: "cron",
      expression: `${index % 60} ${index % 24} * * ${index % 7}`,
      tz: zones[index % 3],
    }),
  );
  const berlin = parseSchedule({ kind: "cron", expression: "0 * * * *", tz: "Europe/Berlin" });
  nextTick(berlin, 0);
  const nextMs = cpuMsOf(() => {
    for (const schedule of schedules) nextTick(schedule, utc("2026-06-01T00:00"));
  });
  let ticks: number[] = [];
  const yearMs = cpuMsOf(() => {
    ticks = ticksBetween(berlin, utc("2025-12-31T23:00") - 1, utc("2026-12-31T23:00") - 1, 10_000);
  });
  expect(ticks).toHaveLength(8_760);
  expect(nextMs).toBeLessThan(5_000);
  expect(yearMs).toBeLessThan(1_000);
});

/** Of this process, as others use the machine, too. */
function cpuMsOf(act: () => void): number {
  const start = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
