import { Cron } from "croner";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { parseSchedule } from "../src/schedule/parse.ts";
import type { Schedule } from "../src/schedule/schedule.ts";
import { previousTick, ticksBetween } from "../src/schedule/ticks.ts";

/** One night in which a zone's clocks change: `from` and `to` in UTC, both looked at, and what is expected in local time. */
interface Night {
  readonly name: string;
  readonly tz: string;
  readonly from: string;
  readonly to: string;
  readonly ticks: { readonly [schedule: string]: readonly string[] };
}

const fixed = "30 2 * * *";
const hourly = "0 * * * *";
const halfHourly = "*/30 * * * *";
const halfHoursOfTwo = "*/30 2 * * *";

const nights: readonly Night[] = [
  {
    name: "Berlin, spring: 02:00 to 03:00 is skipped",
    tz: "Europe/Berlin",
    from: "2026-03-28T23:00Z",
    to: "2026-03-29T03:00Z",
    ticks: {
      [fixed]: ["03:00+02:00"],
      "0,15,30 2 * * *": ["03:00+02:00"],
      "*/10 30 2 * * *": ["03:00+02:00"],
      "0 3 * * *": ["03:00+02:00"],
      "0 2-4 * * *": ["03:00+02:00", "04:00+02:00"],
      [halfHoursOfTwo]: [],
      "30 */2 * * *": ["00:30+01:00", "04:30+02:00"],
      [hourly]: ["00:00+01:00", "01:00+01:00", "03:00+02:00", "04:00+02:00", "05:00+02:00"],
      [halfHourly]: [
        "00:00+01:00",
        "00:30+01:00",
        "01:00+01:00",
        "01:30+01:00",
        "03:00+02:00",
        "03:30+02:00",
        "04:00+02:00",
        "04:30+02:00",
        "05:00+02:00",
      ],
      "every 1h": ["00:00+01:00", "01:00+01:00", "03:00+02:00", "04:00+02:00", "05:00+02:00"],
      "every 2h": ["00:00+01:00", "03:00+02:00", "05:00+02:00"],
      "every 1d": ["00:00+01:00"],
      "every 1d from 2026-01-01T02:30": ["03:00+02:00"],
    },
  },
  {
    name: "Berlin, autumn: 02:00 to 03:00 comes twice",
    tz: "Europe/Berlin",
    from: "2026-10-24T22:00Z",
    to: "2026-10-25T03:00Z",
    ticks: {
      [fixed]: ["02:30+02:00"],
      "*/20 30 2 * * *": ["02:30+02:00", "02:30:20+02:00", "02:30:40+02:00"],
      "0 3 * * *": ["03:00+01:00"],
      [halfHoursOfTwo]: ["02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00"],
      [hourly]: ["00:00+02:00", "01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00", "04:00+01:00"],
      [halfHourly]: [
        "00:00+02:00",
        "00:30+02:00",
        "01:00+02:00",
        "01:30+02:00",
        "02:00+02:00",
        "02:30+02:00",
        "02:00+01:00",
        "02:30+01:00",
        "03:00+01:00",
        "03:30+01:00",
        "04:00+01:00",
      ],
      "every 1h": ["00:00+02:00", "01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00", "04:00+01:00"],
      "every 2h": ["00:00+02:00", "02:00+02:00", "03:00+01:00"],
      "every 1d from 2026-01-01T02:30": ["02:30+02:00"],
    },
  },
  {
    name: "New York, spring: 02:00 to 03:00 is skipped",
    tz: "America/New_York",
    from: "2026-03-08T05:00Z",
    to: "2026-03-08T08:00Z",
    ticks: {
      [fixed]: ["03:00-04:00"],
      [hourly]: ["00:00-05:00", "01:00-05:00", "03:00-04:00", "04:00-04:00"],
      [halfHourly]: [
        "00:00-05:00",
        "00:30-05:00",
        "01:00-05:00",
        "01:30-05:00",
        "03:00-04:00",
        "03:30-04:00",
        "04:00-04:00",
      ],
      "every 1h": ["00:00-05:00", "01:00-05:00", "03:00-04:00", "04:00-04:00"],
    },
  },
  {
    name: "New York, autumn: 01:00 to 02:00 comes twice",
    tz: "America/New_York",
    from: "2026-11-01T04:00Z",
    to: "2026-11-01T07:00Z",
    ticks: {
      "30 1 * * *": ["01:30-04:00"],
      [hourly]: ["00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00"],
      [halfHourly]: [
        "00:00-04:00",
        "00:30-04:00",
        "01:00-04:00",
        "01:30-04:00",
        "01:00-05:00",
        "01:30-05:00",
        "02:00-05:00",
      ],
      "every 90m": ["00:00-04:00", "01:30-04:00", "02:00-05:00"],
    },
  },
  {
    name: "Lord Howe, spring: only 02:00 to 02:30 is skipped",
    tz: "Australia/Lord_Howe",
    from: "2026-10-03T13:30Z",
    to: "2026-10-03T17:00Z",
    ticks: {
      "15 2 * * *": ["02:30+11:00"],
      [fixed]: ["02:30+11:00"],
      [hourly]: ["00:00+10:30", "01:00+10:30", "03:00+11:00", "04:00+11:00"],
      [halfHourly]: [
        "00:00+10:30",
        "00:30+10:30",
        "01:00+10:30",
        "01:30+10:30",
        "02:30+11:00",
        "03:00+11:00",
        "03:30+11:00",
        "04:00+11:00",
      ],
      "every 1h": ["00:00+10:30", "01:00+10:30", "02:30+11:00", "03:30+11:00"],
    },
  },
  {
    name: "Lord Howe, autumn: only 01:30 to 02:00 comes twice",
    tz: "Australia/Lord_Howe",
    from: "2026-04-04T13:00Z",
    to: "2026-04-04T16:30Z",
    ticks: {
      "45 1 * * *": ["01:45+11:00"],
      "0 2 * * *": ["02:00+10:30"],
      [hourly]: ["00:00+11:00", "01:00+11:00", "02:00+10:30", "03:00+10:30"],
      [halfHourly]: [
        "00:00+11:00",
        "00:30+11:00",
        "01:00+11:00",
        "01:30+11:00",
        "01:30+10:30",
        "02:00+10:30",
        "02:30+10:30",
        "03:00+10:30",
      ],
      "every 30m": [
        "00:00+11:00",
        "00:30+11:00",
        "01:00+11:00",
        "01:30+11:00",
        "01:30+10:30",
        "02:00+10:30",
        "02:30+10:30",
        "03:00+10:30",
      ],
    },
  },
  {
    name: "Apia, where 30 December 2011 is skipped: a fixed time of it runs as the 31st begins",
    tz: "Pacific/Apia",
    from: "2011-12-30T08:00Z",
    to: "2011-12-30T12:30Z",
    ticks: {
      "0 12 * * *": ["00:00+14:00"],
      "0 12 30 12 *": ["00:00+14:00"],
      "0 12 31 12 *": [],
      [fixed]: ["00:00+14:00", "02:30+14:00"],
      [hourly]: ["22:00-10:00", "23:00-10:00", "00:00+14:00", "01:00+14:00", "02:00+14:00"],
      [halfHourly]: [
        "22:00-10:00",
        "22:30-10:00",
        "23:00-10:00",
        "23:30-10:00",
        "00:00+14:00",
        "00:30+14:00",
        "01:00+14:00",
        "01:30+14:00",
        "02:00+14:00",
        "02:30+14:00",
      ],
      "every 2h": ["22:00-10:00", "00:00+14:00", "02:00+14:00"],
      "every 1d": ["00:00+14:00"],
      "every 1d from 2011-12-01T02:00": ["00:00+14:00", "02:00+14:00"],
    },
  },
  {
    name: "Casablanca, as Ramadan begins: 02:00 to 03:00 comes twice",
    tz: "Africa/Casablanca",
    from: "2026-02-15T00:00Z",
    to: "2026-02-15T04:00Z",
    ticks: {
      [fixed]: ["02:30+01:00"],
      [hourly]: ["01:00+01:00", "02:00+01:00", "02:00+00:00", "03:00+00:00", "04:00+00:00"],
      [halfHourly]: [
        "01:00+01:00",
        "01:30+01:00",
        "02:00+01:00",
        "02:30+01:00",
        "02:00+00:00",
        "02:30+00:00",
        "03:00+00:00",
        "03:30+00:00",
        "04:00+00:00",
      ],
      "every 6h": [],
      "every 1h": ["01:00+01:00", "02:00+01:00", "02:00+00:00", "03:00+00:00", "04:00+00:00"],
    },
  },
  {
    name: "Casablanca, as Ramadan ends: 02:00 to 03:00 is skipped",
    tz: "Africa/Casablanca",
    from: "2026-03-22T01:00Z",
    to: "2026-03-22T06:00Z",
    ticks: {
      [fixed]: ["03:00+01:00"],
      [hourly]: ["01:00+00:00", "03:00+01:00", "04:00+01:00", "05:00+01:00", "06:00+01:00", "07:00+01:00"],
      "*/30 1-3 * * *": ["01:00+00:00", "01:30+00:00", "03:00+01:00", "03:30+01:00"],
      [halfHoursOfTwo]: [],
      "every 6h": ["07:00+01:00"],
    },
  },
  {
    name: "Goose Bay, autumn: clocks go back over midnight, into the day before",
    tz: "America/Goose_Bay",
    from: "2010-11-07T02:00Z",
    to: "2010-11-07T05:00Z",
    ticks: {
      "30 23 * * *": ["23:30-03:00"],
      "0 0 * * *": ["00:00-03:00"],
      [hourly]: ["23:00-03:00", "00:00-03:00", "00:00-04:00", "01:00-04:00"],
      "every 1d": ["00:00-03:00"],
      "every 1h": ["23:00-03:00", "00:00-03:00", "00:00-04:00", "01:00-04:00"],
    },
  },
];

describe.each(nights)("$name", ({ tz, from, to, ticks }) => {
  test.each(Object.entries(ticks))("%s", (text, expected) => {
    const schedule = scheduleOf(text, tz);
    const fromMs = Date.parse(from);
    const toMs = Date.parse(to);
    expect(ticksBetween(schedule, fromMs - 1, toMs, 100).map((tick) => localTime(tz, tick))).toEqual(
      expected,
    );
    expect(ticksBack(schedule, fromMs, toMs).map((tick) => localTime(tz, tick))).toEqual(expected);
  });
});

test("croner's own zones differ where a whole day is skipped, and where seconds are a step", () => {
  const differing = nights.flatMap(({ tz, from, to, ticks }) =>
    Object.entries(ticks)
      .filter(([text, expected]) => {
        if (text.startsWith("every")) return false;
        return cronersTicks(text, tz, Date.parse(from), Date.parse(to)).join() !== expected.join();
      })
      .map(([text]) => `${tz} ${text}`),
  );
  expect(differing).toEqual([
    "Europe/Berlin */10 30 2 * * *",
    "Europe/Berlin */20 30 2 * * *",
    "Pacific/Apia 0 12 * * *",
    "Pacific/Apia 0 12 30 12 *",
    `Pacific/Apia ${fixed}`,
  ]);
});

function cronersTicks(expression: string, tz: string, fromMs: number, toMs: number): string[] {
  const cron = new Cron(expression, { timezone: tz, paused: true, fixedTimeRule: "no-wildcard" });
  const ticks: string[] = [];
  let next = cron.nextRun(new Date(fromMs - 1_000));
  while (next && next.getTime() <= toMs) {
    ticks.push(localTime(tz, next.getTime()));
    next = cron.nextRun(next);
  }
  return ticks;
}

function scheduleOf(text: string, tz: string): Schedule {
  const match = /^every (\S+)(?: from (\S+))?$/.exec(text);
  if (!match) return parseSchedule({ kind: "cron", expression: text, tz });
  return parseSchedule({ kind: "every", every: match[1], anchor: match[2], tz });
}

function ticksBack(schedule: Schedule, fromMs: number, toMs: number): number[] {
  const ticks: number[] = [];
  let tick = previousTick(schedule, toMs + 1);
  while (tick !== undefined && tick >= fromMs) {
    ticks.unshift(tick);
    tick = previousTick(schedule, tick);
  }
  return ticks;
}

/** Time and offset, by other means than the code under test. */
function localTime(tz: string, ms: number): string {
  const local = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(tz);
  return `${local.toPlainTime().toString().replace(/:00$/, "")}${local.offset}`;
}
