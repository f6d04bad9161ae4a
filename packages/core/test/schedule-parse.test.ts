import { expect, test } from "vitest";
import { MillraceError } from "../src/error/millrace-error.ts";
import { describeSchedule } from "../src/schedule/describe.ts";
import { canonicalSchedule, parseSchedule } from "../src/schedule/parse.ts";
import { ticksBetween } from "../src/schedule/ticks.ts";

const cron = (expression: string, rest: object = {}) => ({ kind: "cron", expression, ...rest });
const every = (every: unknown, rest: object = {}) => ({ kind: "every", every, ...rest });

test.each<[string, string[]]>([
  ["0 0 L * *", ["01-31", "02-28", "03-31", "04-30", "05-31"]],
  ["0 0 LW * *", ["01-30", "02-27", "03-31", "04-30", "05-29"]],
  ["0 0 15W * *", ["01-15", "02-16", "03-16", "04-15", "05-15"]],
  ["0 0 1W * *", ["01-01", "02-02", "03-02", "04-01", "05-01"]],
  ["0 0 31 * *", ["01-31", "03-31", "05-31", "07-31", "08-31"]],
  ["0 0 * * 1#2", ["01-12", "02-09", "03-09", "04-13", "05-11"]],
  ["0 0 * * FRI#5", ["01-30", "05-29", "07-31", "10-30"]],
  ["0 0 * * 5L", ["01-30", "02-27", "03-27", "04-24", "05-29"]],
  ["0 0 * * SUN", ["01-04", "01-11", "01-18", "01-25", "02-01"]],
  ["0 0 * * 7", ["01-04", "01-11", "01-18", "01-25", "02-01"]],
  ["0 0 * * MON-FRI/2", ["01-02", "01-05", "01-07", "01-09", "01-12"]],
  ["0 0 13 * 5", ["01-02", "01-09", "01-13", "01-16", "01-23"]],
  ["0 0 */10 * 1", ["01-01", "01-05", "01-11", "01-12", "01-19"]],
  ["0 0 1,L JAN-MAR *", ["01-01", "01-31", "02-01", "02-28", "03-01"]],
  ["0 0 1 */4 *", ["01-01", "05-01", "09-01"]],
  ["0 0 ? * 3", ["01-07", "01-14", "01-21", "01-28", "02-04"]],
  ["0 0 * * FRI-MON", ["01-02", "01-03", "01-04", "01-05", "01-09"]],
  ["0 0 * * 6-2/2", ["01-03", "01-05", "01-10", "01-12", "01-17"]],
  ["0 0 * * 0-7", ["01-01", "01-02", "01-03", "01-04", "01-05"]],
  ["0 0 * * 7-1", ["01-04", "01-05", "01-11", "01-12", "01-18"]],
  ["0 0 * * TUE/3", ["01-02", "01-06", "01-09", "01-13", "01-16"]],
  ["0 0 * * MON-TUE#2", ["01-12", "01-13", "02-09", "02-10", "03-09"]],
  ["0 0 28-2 * *", ["01-01", "01-02", "01-28", "01-29", "01-30"]],
  ["0 0 1 NOV-FEB *", ["01-01", "02-01", "11-01", "12-01"]],
  ["@weekly", ["01-04", "01-11", "01-18", "01-25", "02-01"]],
  ["@monthly", ["01-01", "02-01", "03-01", "04-01", "05-01"]],
  ["@yearly", ["01-01"]],
])("%s falls on these days of 2026", (expression, days) => {
  const schedule = parseSchedule(cron(expression));
  const ticks = ticksBetween(schedule, Date.UTC(2026, 0) - 1, Date.UTC(2027, 0) - 1, 5);
  expect(ticks.map((tick) => new Date(tick).toISOString().slice(5, 10))).toEqual(days);
});

test.each<[string, string[]]>([
  ["*/20 * * * * *", ["00:00:00", "00:00:20", "00:00:40", "00:01:00"]],
  ["30 5 * * * *", ["00:05:30", "01:05:30", "02:05:30", "03:05:30"]],
  ["0 0 6 * * *", ["06:00:00", "06:00:00", "06:00:00", "06:00:00"]],
  ["5-10/2 3 * * *", ["03:05:00", "03:07:00", "03:09:00", "03:05:00"]],
  ["20 22-2/2 * * *", ["00:20:00", "02:20:00", "22:20:00", "00:20:00"]],
  ["5/20 3 * * *", ["03:05:00", "03:25:00", "03:45:00", "03:05:00"]],
  ["@hourly", ["00:00:00", "01:00:00", "02:00:00", "03:00:00"]],
])("%s falls at these times, seconds first where there are six fields", (expression, times) => {
  const schedule = parseSchedule(cron(expression));
  const ticks = ticksBetween(schedule, Date.UTC(2026, 0) - 1, Infinity, 4);
  expect(ticks.map((tick) => new Date(tick).toISOString().slice(11, 19))).toEqual(times);
});

test("29 February comes in leap years only", () => {
  const schedule = parseSchedule(cron("0 0 29 2 *"));
  const ticks = ticksBetween(schedule, Date.UTC(2090, 0), Date.UTC(2110, 0), 10);
  expect(ticks.map((tick) => new Date(tick).toISOString().slice(0, 10))).toEqual([
    "2092-02-29",
    "2096-02-29",
    "2104-02-29",
    "2108-02-29",
  ]);
});

test.each<[string, object, string[]]>([
  ["days, from 1970-01-01", every("3d"), ["2026-01-01", "2026-01-04", "2026-01-07"]],
  ["weeks start on Mondays", every("1w"), ["2026-01-05", "2026-01-12", "2026-01-19"]],
  [
    "two weeks from an anchor",
    every("2w", { anchor: "2026-01-08" }),
    ["2026-01-08", "2026-01-22", "2026-02-05"],
  ],
  ["months", every("1mo"), ["2026-01-01", "2026-02-01", "2026-03-01"]],
  [
    "months from the 31st, or the last day",
    every("1mo", { anchor: "2025-12-31" }),
    ["2026-01-31", "2026-02-28", "2026-03-31"],
  ],
  ["quarters", every("3mo"), ["2026-01-01", "2026-04-01", "2026-07-01"]],
  [
    "years from a leap day",
    every("1y", { anchor: "2024-02-29" }),
    ["2026-02-28", "2027-02-28", "2028-02-29"],
  ],
])("every counts in the calendar: %s", (_name, json, days) => {
  const ticks = ticksBetween(parseSchedule(json), Date.UTC(2026, 0) - 1, Infinity, 3);
  expect(ticks.map((tick) => new Date(tick).toISOString().slice(0, 10))).toEqual(days);
});

test("a span that does not divide the day starts afresh at midnight, and runs on from an anchor", () => {
  const hours = (json: object) =>
    ticksBetween(parseSchedule(json), Date.UTC(2026, 0, 1, 12), Infinity, 4).map((tick) =>
      new Date(tick).toISOString().slice(8, 13),
    );
  expect(hours(every("7h"))).toEqual(["01T14", "01T21", "02T00", "02T07"]);
  expect(hours(every("7h", { anchor: "2026-01-01T00:00" }))).toEqual(["01T14", "01T21", "02T04", "02T11"]);
});

test("a list of instants is put in order, each once, and wall times are read in its zone", () => {
  const schedule = parseSchedule({
    kind: "at",
    tz: "Europe/Berlin",
    instants: ["2026-07-01T09:00", "2026-01-01T09:00+05:30", 1_000, "2026-07-01T07:00:00Z"],
  });
  expect(schedule).toEqual({
    kind: "at",
    instants: [1_000, Date.parse("2026-01-01T03:30Z"), Date.parse("2026-07-01T07:00Z")],
  });
  expect(ticksBetween(schedule, 1_000, Infinity, 9)).toHaveLength(2);
});

const openDays = (calendar: object) => {
  const schedule = parseSchedule(cron("0 9 * * *", { tz: "Europe/Berlin", calendar }));
  return ticksBetween(schedule, Date.parse("2026-12-23T00:00Z"), Date.parse("2027-01-05T00:00Z"), 99).map(
    (tick) => new Date(tick).toISOString().slice(5, 10),
  );
};

test("a calendar leaves out weekends and holidays, and what it includes comes before both", () => {
  const holidays = ["2026-12-24/2026-12-26", "2027-01-01"];
  expect(openDays({ businessDays: true, holidays })).toEqual([
    "12-23",
    "12-28",
    "12-29",
    "12-30",
    "12-31",
    "01-04",
  ]);
  expect(openDays({ businessDays: true, holidays, include: ["2026-12-26", "2027-01-03"] })).toEqual([
    "12-23",
    "12-26",
    "12-28",
    "12-29",
    "12-30",
    "12-31",
    "01-03",
    "01-04",
  ]);
  expect(openDays({ weekdays: ["SAT", 7], exclude: ["2027-01-03"] })).toEqual(["12-26", "12-27", "01-02"]);
});

test.each<[string, unknown, unknown]>([
  [
    "spaces and case",
    cron("0  6 * jan mon-fri ", { tz: "europe/berlin" }),
    cron("0 6 * JAN MON-FRI", { tz: "Europe/Berlin" }),
  ],
  ["seconds that are nought", cron("0 0 6 * * *"), cron("0 6 * * *")],
  ["short forms", cron("@daily"), cron("0 0 * * *", { tz: "UTC" })],
  ["Quartz's question mark", cron("0 6 ? * 1"), cron("0 6 * * 1")],
  ["lengths of time", every("1h30m"), every({ n: 90, unit: "minutes" })],
  ["milliseconds", every(3_600_000), every("60m")],
  ["a day of hours", every("24h"), every("1d")],
  ["anchors", every("1d", { anchor: "2026-01-01" }), every("1d", { anchor: "2026-01-01T00:00:00" })],
  ["calendars that say nothing", every("1d", { calendar: { weekdays: [1, 2, 3, 4, 5, 6, 7] } }), every("1d")],
  [
    "dates that meet",
    every("1d", { calendar: { holidays: ["2026-01-02"], exclude: ["2026-01-01"] } }),
    every("1d", { calendar: { exclude: ["2026-01-01/2026-01-02"] } }),
  ],
  ["no jitter", every("1d", { jitterMs: 0 }), every("1d")],
  ["the order of fields", { tz: "UTC", every: "1d", kind: "every" }, every("1d")],
])("equal schedules have one canonical text: %s", (_name, one, other) => {
  const text = canonicalSchedule(parseSchedule(one));
  expect(text).toBe(canonicalSchedule(parseSchedule(other)));
  expect(canonicalSchedule(parseSchedule(JSON.parse(text)))).toBe(text);
});

const invalid = "MILLRACE_SCHEDULE_INVALID";
const never = "MILLRACE_SCHEDULE_NEVER";

test.each<[unknown, string, string]>([
  [null, invalid, "$.on must be an object, found null."],
  [{}, invalid, '$.on.kind must be "cron", "every" or "at", found nothing.'],
  [cron("0 6"), invalid, "needs five fields"],
  [cron(""), invalid, "has none"],
  [cron("0 0 0 1 1 * 2026"), invalid, "has 7"],
  [cron("60 * * * *"), invalid, 'has in its minute field "60", which is not 0 to 59'],
  [cron("61 0 0 * * *"), invalid, 'has in its second field "61", which is not 0 to 59'],
  [cron("0 24 * * *"), invalid, 'has in its hour field "24", which is not 0 to 23'],
  [cron("0 0 0 * *"), invalid, 'has in its day of month field "0", which is not 1 to 31'],
  [cron("0 0 1,32 * *"), invalid, '"32" (in "1,32"), which is not 1 to 31'],
  [cron("0 0 * 13 *"), invalid, 'has in its month field "13", which is not 1 to 12 or JAN to DEC'],
  [cron("0 0 * * 8"), invalid, "which is not 0 (Sunday) to 7 or SUN to SAT"],
  [cron("0 0 * * 1#6"), invalid, 'where a number from 1 to 5 must follow "#"'],
  [cron("0 0 * * *#2"), invalid, 'where a day must stand before "#2"'],
  [cron("0 0 * * L"), invalid, "5L or FRIL is the last Friday"],
  [cron("0 0 1#2 * *"), invalid, "which the day of week alone may have"],
  [cron("0 L * * *"), invalid, "which days alone may have"],
  [cron("0 0 L-3 * *"), invalid, "counts days from the end of the month"],
  [cron("0 0 1-5W * *"), invalid, "follows no single day, as in 15W"],
  [cron("0 0 1,LW * *"), invalid, "LW stands alone"],
  [cron("*/0 * * * *"), invalid, "whose step is not 1 to 60"],
  [cron("* */25 * * *"), invalid, "whose step is not 1 to 24"],
  [cron("1-2-3 * * * *"), invalid, "which is no value, range (1-5) or step"],
  [cron("1,,2 * * * *"), invalid, 'has an empty part in its minute field "1,,2"'],
  [cron("-5 * * * *"), invalid, 'has in its minute field "-5"'],
  [cron("0 0 * * MONDAY"), invalid, "write MON"],
  [cron("0 X * * *"), invalid, 'has in its hour field "X"'],
  [cron("? 0 ? * *"), invalid, 'has a "?" outside the day fields'],
  [cron("0 0 1 * +1"), invalid, "a day of month that is also a day of week"],
  [cron("@reboot"), invalid, "start-up"],
  [cron("@dayly"), invalid, "none of the short forms"],
  [cron("1,".repeat(400)), invalid, "longer than 600 characters"],
  [cron("0 6 * * *", { tz: "Mars" }), "MILLRACE_TIME_ZONE_UNKNOWN", "$.on.tz"],
  [cron("0 6 * * *", { zone: "UTC" }), invalid, '$.on has no field "zone"'],
  [cron("0 6 * * *", { jiterMs: 1 }), invalid, 'did you mean "jitterMs"?'],
  [cron("0 6 * * *", { jitterMs: -1 }), invalid, "$.on.jitterMs"],
  [cron("0 6 * * *", { calendar: { holidays: ["2026-02-30"] } }), invalid, "$.on.calendar.holidays[0]"],
  [cron("0 6 * * *", { calendar: { exclude: ["2026-02-03/2026-02-01"] } }), invalid, "exclude[0]"],
  [cron("0 6 * * *", { calendar: { weekdays: [] } }), invalid, "$.on.calendar.weekdays"],
  [cron("0 6 * * *", { calendar: { weekdays: [0] } }), invalid, "weekdays[0]"],
  [cron("0 6 * * *", { calendar: { businessDays: true, weekdays: [1] } }), invalid, "businessDays"],
  [cron("0 0 30 2 *"), never, '$.on: the cron expression "0 0 30 2 *" never fires.'],
  [cron("0 0 31 4,6,9,11 *"), never, "never fires"],
  [cron("0 0 * * 0", { calendar: { businessDays: true } }), never, "its calendar leaves open"],
  [every("1w", { calendar: { weekdays: ["SAT"] } }), never, "its calendar leaves open"],
  [every("soon"), invalid, '$.on.every must be a span such as "15m"'],
  [every("0s"), invalid, "one second or more"],
  [every("1500ms"), invalid, "in whole seconds"],
  [every("36h"), invalid, "longer than a day and not of whole days"],
  [every("0w"), invalid, "must be 1 to 522 weeks"],
  [every("11y"), invalid, "must be 1 to 10 years"],
  [every({ n: 1.5, unit: "days" }), invalid, "found 1.5"],
  [every({ n: 1, unit: "fortnights" }), invalid, "$.on.every.unit"],
  [every("1d", { anchor: "tomorrow" }), invalid, "$.on.anchor"],
  [every("1d", { anchor: "2026-01-01T24:00" }), invalid, "$.on.anchor"],
  [{ kind: "at", instants: [] }, invalid, "$.on.instants"],
  [{ kind: "at", instants: [1, "never"] }, invalid, "$.on.instants[1]"],
  [{ kind: "at", instants: ["2026-02-31T06:00:00Z"] }, invalid, "$.on.instants[0]"],
  [{ kind: "at", instants: ["2026-02-31T06:00"] }, invalid, "$.on.instants[0]"],
  [{ kind: "at", instants: [1.5] }, invalid, "$.on.instants[0]"],
  [{ kind: "at", instants: Array.from({ length: 10_001 }, (_, ms) => ms) }, invalid, "10000 at most"],
  [{ kind: "at", instants: [1], calendar: {} }, invalid, '$.on has no field "calendar"'],
])("%j is refused", (json, code, message) => {
  let refusal: unknown;
  try {
    parseSchedule(json, ["on"]);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(MillraceError);
  expect((refusal as MillraceError).code).toBe(code);
  expect((refusal as MillraceError).message).toContain(message);
  expect((refusal as MillraceError).fields["path"]).toMatch(/^\$\.on/);
});

test.each<[object, string]>([
  [cron("0 6 * * 1-5", { tz: "Europe/Berlin" }), "at 06:00 on Monday to Friday, Europe/Berlin time"],
  [cron("0 6,18 * * *"), "every day at 06:00 and 18:00, UTC"],
  [cron("*/15 * * * *"), "every 15 minutes, UTC"],
  [cron("*/7 * * * *"), "at every 7th minute of every hour, UTC"],
  [cron("10-20/3 * * * *"), "at every 3rd minute from 10 to 20 of every hour, UTC"],
  [cron("*/15,3 * * * *"), "at every 15th minute and minute 3 of every hour, UTC"],
  [cron("*,5 * * * *"), "every minute, UTC"],
  [cron("*/20 5 * * * *"), "every 20 seconds, in minute 5 of every hour, UTC"],
  [cron("0 0 * * MON-TUE#2"), "at 00:00 on the second Monday to Tuesday, UTC"],
  [cron("5,35 * * * *"), "at minute 5 and 35 of every hour, UTC"],
  [cron("0 * * * *"), "every hour, UTC"],
  [cron("0 */2 * * *"), "every 2 hours, UTC"],
  [cron("*/15 9-17 * * MON-FRI"), "every 15 minutes in hour 09 to 17 on Monday to Friday, UTC"],
  [cron("*/10 * * * * *"), "every 10 seconds, UTC"],
  [cron("30 0 6 * * *"), "every day at 06:00:30, UTC"],
  [cron("0 0 1,15 * WED"), "at 00:00 on day 1 and day 15 of the month or on Wednesday, UTC"],
  [cron("0 0 LW 3,6-8 *"), "at 00:00 on the last weekday of the month in March and June to August, UTC"],
  [cron("0 9 * * 1#2"), "at 09:00 on the second Monday, UTC"],
  [cron("0 9 15W * *"), "at 09:00 on the weekday nearest to day 15 of the month, UTC"],
  [cron("0 9 * * FRIL"), "at 09:00 on the last Friday, UTC"],
  [
    every("15m", { jitterMs: 30_000 }),
    "every 15 minutes, counted from midnight, UTC, each delayed by up to 30 s",
  ],
  [every("2w", { anchor: "2026-01-08T06:00" }), "every 2 weeks, counted from 2026-01-08 06:00, UTC"],
  [every("1mo"), "every month, on day 1 at 00:00, UTC"],
  [
    every("1d", { calendar: { businessDays: true, holidays: ["2026-12-25"], include: ["2026-12-19"] } }),
    "every day at 00:00, UTC, only Monday to Friday, not on 2026-12-25, but also on 2026-12-19",
  ],
  [{ kind: "at", instants: ["2026-01-01T00:00Z"] }, "once, at 2026-01-01T00:00:00Z"],
])("%j reads in words", (json, words) => {
  expect(describeSchedule(parseSchedule(json))).toBe(words);
});
