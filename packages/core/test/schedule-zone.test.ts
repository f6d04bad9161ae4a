import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { errorCodeOf, MillraceError } from "../src/error/millrace-error.ts";
import { instantOf, localDayOf, parseTimeZone, spanAt, startOfDay } from "../src/schedule/zone.ts";

const isLong = process.env["MILLRACE_TEST_LONG"] === "1";
/** Odd ones: half hours, Ramadan, days skipped and repeated, midnights, wars, and rules by decree. */
const oddZones = [
  "UTC",
  "Europe/Berlin",
  "Europe/Dublin",
  "America/New_York",
  "America/St_Johns",
  "America/Goose_Bay",
  "America/Havana",
  "America/Asuncion",
  "America/Caracas",
  "America/Recife",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Kwajalein",
  "Pacific/Kiritimati",
  "Africa/Casablanca",
  "Africa/Cairo",
  "Africa/Monrovia",
  "Asia/Gaza",
  "Asia/Tehran",
  "Asia/Pyongyang",
  "Antarctica/Troll",
];
const [fromYear, toYear] = isLong ? [1900, 2100] : [1965, 2045];

test.each(isLong ? Intl.supportedValuesOf("timeZone") : oddZones)(
  "%s changes its offset when Temporal says so",
  (tz) => {
    const fromMs = Date.UTC(fromYear, 0);
    const toMs = Date.UTC(toYear, 0);
    const found: string[] = [];
    let offsetMs = spanAt(tz, fromMs).offsetMs;
    for (let span = spanAt(tz, fromMs); span.endMs < toMs;) {
      span = spanAt(tz, span.endMs);
      if (span.offsetMs !== offsetMs) found.push(`${span.startMs} ${span.offsetMs}`);
      offsetMs = span.offsetMs;
    }
    const expected: string[] = [];
    let change = zonedOf(tz, fromMs).getTimeZoneTransition("next");
    while (change && change.epochMilliseconds < toMs) {
      expected.push(`${change.epochMilliseconds} ${change.offsetNanoseconds / 1_000_000}`);
      change = change.getTimeZoneTransition("next");
    }
    expect(found).toEqual(expected);
  },
);

test.each(oddZones)(
  "%s: each day starts when Temporal says so, a skipped one with the day after it",
  (tz) => {
    for (const year of isLong ? [1969, 1993, 1994, 2010, 2011, 2026] : [1993, 2011]) {
      for (let day = Date.UTC(year, 0) / 86_400_000; day < Date.UTC(year + 1, 0) / 86_400_000; day += 1) {
        const date = new Temporal.PlainDate(1970, 1, 1).add({ days: day });
        const midnight = date.toPlainDateTime().toZonedDateTime(tz, { disambiguation: "earlier" });
        const start = midnight.toPlainDateTime().equals(date)
          ? midnight
          : (midnight.getTimeZoneTransition("next") ?? midnight);
        expect(startOfDay(tz, day)).toBe(start.epochMilliseconds);
        if (startOfDay(tz, day + 1) === startOfDay(tz, day)) continue;
        expect(localDayOf(tz, startOfDay(tz, day))).toBe(day);
        expect(localDayOf(tz, startOfDay(tz, day + 1) - 1)).toBe(day);
      }
    }
  },
);

test.each([
  ["a time that clocks skip is the first after the gap", "2026-03-29T02:17", "2026-03-29T01:00Z"],
  ["a time that comes twice is the first of the two", "2026-10-25T02:17", "2026-10-25T00:17Z"],
  ["the end of a gap is itself", "2026-03-29T03:00", "2026-03-29T01:00Z"],
  ["the end of an overlap is itself", "2026-10-25T03:00", "2026-10-25T02:00Z"],
])("%s", (_name, wall, instant) => {
  expect(instantOf("Europe/Berlin", Date.parse(`${wall}Z`))).toBe(Date.parse(instant));
});

test.each([
  ["europe/berlin", "Europe/Berlin"],
  ["utc", "UTC"],
  ["US/Eastern", "US/Eastern"],
  ["+05:30", "+05:30"],
])("the zone %s is known as %s", (written, name) => {
  expect(parseTimeZone(written)).toBe(name);
});

test.each([
  ["Europe/Berln", "Europe/Berlin"],
  ["Berlin", "Europe/Berlin"],
  ["New York", "America/New_York"],
  ["Amercia/New_York", "America/New_York"],
])("the unknown zone %s is refused, and %s named as the nearest", (written, nearest) => {
  const error = refusalOf(() => parseTimeZone(written, ["on", "tz"]));
  expect(errorCodeOf(error)).toBe("MILLRACE_TIME_ZONE_UNKNOWN");
  expect(error.message).toBe(`$.on.tz: no time zone is named "${written}"; did you mean "${nearest}"?`);
  expect(error.fields["nearest"]).toBe(nearest);
});

test.each([[""], [7], [null], ["Middle/Earth"], [" Europe/Berlin"]])("%j is no time zone", (written) => {
  expect(errorCodeOf(refusalOf(() => parseTimeZone(written)))).toBe("MILLRACE_TIME_ZONE_UNKNOWN");
});

function zonedOf(tz: string, ms: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(tz);
}

function refusalOf(act: () => unknown): MillraceError {
  try {
    act();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}
