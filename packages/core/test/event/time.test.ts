import { expect, test } from "vitest";
import { formatEventTime, parseEventTime } from "../../src/event/time.ts";

test.each([
  ["2026-01-31T06:00:00Z", "2026-01-31T06:00:00.000Z"],
  ["2026-01-31t06:00:00.5z", "2026-01-31T06:00:00.500Z"],
  ["2026-01-31T06:00:00.123456789+02:00", "2026-01-31T04:00:00.123456Z"],
  ["2026-01-01T00:30:00-01:30", "2026-01-01T02:00:00.000Z"],
  ["0099-12-31T23:59:60Z", "0100-01-01T00:00:00.000Z"],
  ["1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"],
])("%s is %s", (text, written) => {
  expect(formatEventTime(parseEventTime(text)!)).toBe(written);
});

test.each([
  "",
  "now",
  "2026-01-31",
  "2026-13-01T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "2026-01-31T24:00:00Z",
  "2026-01-31T06:00:00",
  "0000-01-01T00:00:00Z",
])("%j is no time", (text) => {
  expect(parseEventTime(text)).toBeUndefined();
});
