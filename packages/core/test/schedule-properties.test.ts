import { CronPattern } from "croner";
import * as fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { errorCodeOf } from "../src/error/millrace-error.ts";
import { parseSchedule } from "../src/schedule/parse.ts";
import { dueTime } from "../src/schedule/jitter.ts";
import type { Schedule } from "../src/schedule/schedule.ts";
import {
  dataInterval,
  nextTick,
  previousTick,
  ticksBetween,
  ticksMissed,
  type CatchUp,
} from "../src/schedule/ticks.ts";

const isLong = process.env["MILLRACE_TEST_LONG"] === "1";
const timeout = isLong ? 900_000 : 30_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;

const tz = fc.constantFrom(
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
  "Africa/Cairo",
  "America/Goose_Bay",
  "America/Havana",
  "America/Santiago",
  "Asia/Kathmandu",
  "Pacific/Kwajalein",
);

/** A field of cron: everything, a step, a value, a list or a range. */
function field(min: number, max: number): fc.Arbitrary<string> {
  const value = fc.integer({ min, max });
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant("*") },
    { weight: 2, arbitrary: fc.constantFrom(2, 3, 5, 7, 10).map((step) => `*/${step}`) },
    { weight: 3, arbitrary: value.map(String) },
    fc.tuple(value, value).map(([a, b]) => `${a},${b}`),
    fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  );
}

const dayFields = fc.oneof(
  { weight: 4, arbitrary: fc.constant("* * *") },
  fc.constantFrom(
    "1 * *",
    "L * *",
    "LW * *",
    "15W * *",
    "* * 1-5",
    "* * 5L",
    "* * 1#2",
    "13 * 5",
    "*/9 3,10 *",
  ),
  fc.constantFrom("29 2 *", "* 2 1#5", "31 * *", "* 3,4,10,11 0,6"),
);
const expression = fc
  .tuple(field(0, 59), fc.oneof(field(0, 23), field(0, 3)), dayFields)
  .map((fields) => fields.join(" "));
const calendar = fc.option(
  fc.constantFrom(
    { businessDays: true },
    { businessDays: true, holidays: ["2026-03-27/2026-03-30", "2026-10-26"], include: ["2026-03-29"] },
    { weekdays: [6, 7] },
    { exclude: ["2011-12-28/2012-01-02"] },
  ),
  { nil: undefined, freq: 3 },
);
const every = fc.record({
  kind: fc.constant("every"),
  every: fc.constantFrom(
    "1s",
    "7m",
    "15m",
    "1h",
    "90m",
    "5h",
    "6h",
    "1d",
    "3d",
    "1w",
    "2w",
    "1mo",
    "5mo",
    "1y",
  ),
  anchor: fc.constantFrom(undefined, "2026-01-31T02:30", "2024-02-29", "2011-12-30T12:00"),
  tz,
  calendar,
});
const cron = fc.record({ kind: fc.constant("cron"), expression, tz, calendar });
const at = fc.record({
  kind: fc.constant("at"),
  instants: fc.array(fc.integer({ min: 0, max: Date.UTC(2090, 0) }), { minLength: 1, maxLength: 30 }),
});

const schedule: fc.Arbitrary<Schedule> = fc
  .oneof({ weight: 3, arbitrary: cron }, { weight: 2, arbitrary: every }, at)
  .map(parseUnlessNever)
  .filter((schedule) => schedule !== undefined);

/** A week that starts on Mondays has no tick on a weekend: that is refused, and tested elsewhere. */
function parseUnlessNever(json: unknown): Schedule | undefined {
  try {
    return parseSchedule(json);
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_SCHEDULE_NEVER") return undefined;
    throw error;
  }
}

/** Near changes of the clocks more often than not. */
const changes = [
  "2026-03-29T01:00Z",
  "2026-10-25T01:00Z",
  "2026-03-08T07:00Z",
  "2026-11-01T06:00Z",
  "2026-04-04T15:00Z",
  "2026-10-03T15:30Z",
  "2011-12-30T10:00Z",
  "2026-02-15T02:00Z",
  "2026-03-22T02:00Z",
  "2010-08-10T21:00Z",
  "2010-11-07T03:01Z",
  "2026-11-01T05:00Z",
  "2026-04-05T03:00Z",
  "1993-08-21T12:00Z",
  "1969-09-30T13:00Z",
].map((text) => Date.parse(text));
const time = fc.oneof(
  fc.integer({ min: Date.UTC(1960, 0), max: Date.UTC(2090, 0) }),
  fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -48 * hourMs, max: 48 * hourMs }))
    .map(([change, distance]) => change + distance),
);

test("the next tick is later, the previous earlier, and each leads back to the other", { timeout }, () => {
  fc.assert(
    fc.property(schedule, time, (schedule, time) => {
      const next = nextTick(schedule, time);
      const previous = previousTick(schedule, time);
      if (next !== undefined) {
        expect(next).toBeGreaterThan(time);
        expect(previousTick(schedule, next + 1)).toBe(next);
        expect(nextTick(schedule, next - 1)).toBe(next);
        expect(previousTick(schedule, next)).toBe(previousTick(schedule, time + 1));
      }
      if (previous !== undefined) {
        expect(previous).toBeLessThan(time);
        expect(nextTick(schedule, previous - 1)).toBe(previous);
        expect(nextTick(schedule, previous)).toBe(nextTick(schedule, time - 1));
      }
    }),
    { numRuns: isLong ? 100_000 : 4_000 },
  );
});

test("asked for a later time, a schedule never answers with an earlier tick", { timeout }, () => {
  fc.assert(
    fc.property(schedule, time, fc.integer({ min: 0, max: 90 * hourMs }), (schedule, time, later) => {
      const last = Infinity;
      expect(nextTick(schedule, time + later) ?? last).toBeGreaterThanOrEqual(
        nextTick(schedule, time) ?? last,
      );
      expect(previousTick(schedule, time + later) ?? last).toBeGreaterThanOrEqual(
        previousTick(schedule, time) ?? -Infinity,
      );
    }),
    { numRuns: isLong ? 100_000 : 2_000 },
  );
});

test("cron over changes of the clocks is what the rules say, minute by minute", { timeout }, () => {
  fc.assert(
    fc.property(
      expression.filter((text) => text.endsWith(" * * *")),
      tz,
      fc.constantFrom(...changes),
      (expression, tz, change) => {
        const schedule = parseSchedule({ kind: "cron", expression, tz });
        const fromMs = change - 26 * hourMs;
        const toMs = change + 26 * hourMs;
        const expected = expectedTicks(expression, tz, fromMs, toMs);
        expect(ticksBetween(schedule, fromMs - 1, toMs, 10_000)).toEqual(expected);
      },
    ),
    { numRuns: isLong ? 3_000 : 100 },
  );
});

/** By looking at each minute. Hours and minutes alone are asked for, so an hour's and a minute's list decide. */
function expectedTicks(expression: string, tz: string, fromMs: number, toMs: number): number[] {
  const pattern = new CronPattern(expression);
  const matches = (local: { hour: number; minute: number }) =>
    pattern.hour[local.hour] === 1 && pattern.minute[local.minute] === 1;
  const [minutes = "", hours = ""] = expression.split(" ");
  const zoned = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(tz);
  const ticks = new Set<number>();
  if (/[*/]/.test(minutes + hours)) {
    for (let ms = fromMs; ms <= toMs; ms += minuteMs) if (matches(zoned(ms))) ticks.add(ms);
    return [...ticks];
  }
  let local = zoned(fromMs - 30 * hourMs).toPlainDateTime();
  const end = zoned(toMs + 30 * hourMs).toPlainDateTime();
  for (; Temporal.PlainDateTime.compare(local, end) < 0; local = local.add({ minutes: 1 })) {
    if (!matches(local)) continue;
    const first = local.toZonedDateTime(tz, { disambiguation: "earlier" });
    const isSkipped = !first.toPlainDateTime().equals(local);
    const tick = isSkipped ? first.getTimeZoneTransition("next") : first;
    if (tick) ticks.add(tick.epochMilliseconds);
  }
  return [...ticks].filter((tick) => tick >= fromMs && tick <= toMs).sort((a, b) => a - b);
}

test(
  "intervals of caught-up ticks join from the last one before to the newest, whatever is merged",
  { timeout },
  () => {
    const catchUp: fc.Arbitrary<CatchUp> = fc.oneof(
      fc.constantFrom<CatchUp>("all", "latest"),
      fc.integer({ min: 1, max: 5 }).map((limit) => ({ limit })),
    );
    fc.assert(
      fc.property(
        schedule,
        time,
        fc.integer({ min: 0, max: 400 }),
        catchUp,
        (schedule, time, count, catchUp) => {
          const every = ticksBetween(schedule, time, Infinity, count);
          const newest = every.at(-1) ?? time;
          const due = ticksMissed(schedule, { lastMs: time, nowMs: newest }, catchUp, 1_000);
          const wanted =
            catchUp === "all" ? count : catchUp === "latest" ? 1 : (catchUp as { limit: number }).limit;
          expect(due.map(({ tickMs }) => tickMs)).toEqual(wanted === 0 ? [] : every.slice(-wanted));
          for (const [index, { tickMs, interval }] of due.entries()) {
            expect(interval.endMs).toBe(tickMs);
            const start =
              index === 0 ? dataInterval(schedule, every[0] ?? 0).startMs : due[index - 1]?.tickMs;
            expect(interval.startMs).toBe(start);
          }
        },
      ),
      { numRuns: isLong ? 10_000 : 500 },
    );
  },
);

test("jitter is bounded, the same at each asking, and keeps the order of ticks", { timeout }, () => {
  fc.assert(
    fc.property(
      fc.constantFrom("* * * * *", "0 * * * *", "*/7 * * * * *"),
      fc.integer({ min: 1, max: 2 * hourMs }),
      fc.string(),
      (expression, jitterMs, identity) => {
        const schedule = parseSchedule({ kind: "cron", expression, jitterMs });
        const ticks = ticksBetween(schedule, Date.UTC(2026, 0), Infinity, 50);
        const due = ticks.map((tick) => dueTime(schedule, identity, tick));
        expect(due).toEqual(ticks.map((tick) => dueTime(schedule, identity, tick)));
        expect(due).toEqual(due.toSorted((a, b) => a - b));
        expect(new Set(due).size).toBe(due.length);
        for (const [index, tick] of ticks.entries()) {
          const delay = (due[index] ?? 0) - tick;
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThan(jitterMs);
        }
      },
    ),
  );
});

test("jitter spreads schedules evenly over its bound", { timeout }, () => {
  const schedule = parseSchedule({ kind: "cron", expression: "0 6 * * *", jitterMs: 10_000 });
  const tick = Date.UTC(2026, 0, 1, 6);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 10_000; index += 1) {
    const tenth = Math.floor((dueTime(schedule, `report-${index}`, tick) - tick) / 1_000);
    counts[tenth] = (counts[tenth] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1_150);
});
