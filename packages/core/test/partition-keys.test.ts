/** Keys of partitions over real changes of the clocks, and what is refused. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cover, coveredTo, forgetBefore, type Coverage } from "../src/partition/coverage.ts";
import { parsePartitions } from "../src/partition/parse.ts";
import { compilePartitions, formatTuple, readTuple, requirePartition } from "../src/partition/partitions.ts";
import { compileTimeWindows } from "../src/partition/time-windows.ts";
import type { TimePartitions } from "../src/partition/definition.ts";

function windows(every: object, start = "2010-01-01", end?: string) {
  return compilePartitions(parsePartitions({ kind: "time", every, start, ...(end ? { end } : {}) }));
}

const hourly = (tz: string) => windows({ kind: "cron", expression: "0 * * * *", tz });
const every = (span: string, tz: string) => windows({ kind: "every", every: span, tz });

function keys(partitions: ReturnType<typeof windows>, from: string, to: string): string[] {
  return partitions.list({ from: Date.parse(from), to: Date.parse(to) }, 100) ?? [];
}

test.each<[string, ReturnType<typeof windows>, string, string, readonly string[]]>([
  [
    "Berlin repeats 02:00",
    hourly("Europe/Berlin"),
    "2026-10-24T23:00Z",
    "2026-10-25T03:00Z",
    ["2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
  ],
  [
    "Berlin skips 02:00",
    hourly("Europe/Berlin"),
    "2026-03-29T00:00Z",
    "2026-03-29T02:00Z",
    ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"],
  ],
  [
    "New York repeats 01:00",
    hourly("America/New_York"),
    "2026-11-01T05:00Z",
    "2026-11-01T08:00Z",
    ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00-05:00"],
  ],
  [
    "New York skips 02:00",
    hourly("America/New_York"),
    "2026-03-08T06:00Z",
    "2026-03-08T08:00Z",
    ["2026-03-08T01:00-05:00", "2026-03-08T03:00-04:00"],
  ],
  [
    "Lord Howe goes back by half an hour: one window has an hour and a half",
    hourly("Australia/Lord_Howe"),
    "2026-04-04T14:00Z",
    "2026-04-04T16:00Z",
    ["2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30"],
  ],
  [
    "Lord Howe goes forward by half an hour: one window has half an hour",
    hourly("Australia/Lord_Howe"),
    "2026-10-03T14:30Z",
    "2026-10-03T17:00Z",
    ["2026-10-04T01:00+10:30", "2026-10-04T03:00+11:00"],
  ],
  [
    "Casablanca goes back for Ramadan, at 03:00",
    hourly("Africa/Casablanca"),
    "2026-02-15T01:00Z",
    "2026-02-15T04:00Z",
    ["2026-02-15T02:00+01:00", "2026-02-15T02:00+00:00", "2026-02-15T03:00+00:00"],
  ],
  [
    "Casablanca goes forward after Ramadan, at 02:00",
    hourly("Africa/Casablanca"),
    "2026-03-22T01:00Z",
    "2026-03-22T03:00Z",
    ["2026-03-22T01:00+00:00", "2026-03-22T03:00+01:00"],
  ],
  [
    "Apia skipped the 30th of December 2011",
    every("1d", "Pacific/Apia"),
    "2011-12-29T10:00Z",
    "2012-01-01T09:00Z",
    ["2011-12-29", "2011-12-31", "2012-01-01"],
  ],
  [
    "Berlin's days of 23 and 25 hours",
    every("1d", "Europe/Berlin"),
    "2026-10-23T22:00Z",
    "2026-10-26T22:00Z",
    ["2026-10-24", "2026-10-25", "2026-10-26"],
  ],
  [
    "weeks begin on Monday",
    every("1w", "Europe/Berlin"),
    "2026-03-23T00:00Z",
    "2026-04-01T00:00Z",
    ["2026-03-23", "2026-03-30"],
  ],
  [
    "months",
    every("1mo", "America/New_York"),
    "2026-03-01T05:00Z",
    "2026-05-01T04:00Z",
    ["2026-03", "2026-04"],
  ],
  ["years", every("1y", "UTC"), "2026-03-01T05:00Z", "2027-05-01T04:00Z", ["2026", "2027"]],
  [
    "quarters are named by their first month",
    every("3mo", "UTC"),
    "2026-03-01T05:00Z",
    "2026-05-01T04:00Z",
    ["2026-01", "2026-04"],
  ],
  [
    "own cron: shifts, named by their first instant",
    windows({ kind: "cron", expression: "0 6,14,22 * * *", tz: "Europe/Berlin" }),
    "2026-10-24T20:00Z",
    "2026-10-25T13:00Z",
    ["2026-10-24T22:00+02:00", "2026-10-25T06:00+01:00"],
  ],
  [
    "own cron: business days",
    windows({ kind: "cron", expression: "0 0 * * 1-5", tz: "UTC" }),
    "2026-01-01T00:00Z",
    "2026-01-06T00:00Z",
    ["2026-01-01", "2026-01-02", "2026-01-05"],
  ],
  ["UTC has a Z", hourly("UTC"), "2026-01-01T05:00Z", "2026-01-01T06:00Z", ["2026-01-01T05:00Z"]],
])("%s", (_name, partitions, from, to, expected) => {
  expect(keys(partitions, from, to)).toEqual(expected);
});

test.each<[string, string]>([
  ["2026-10-25T02:00+02:00", "2026-10-25T02:00+02:00"],
  ["2026-10-25T01:00Z", "2026-10-25T02:00+01:00"],
  ["2026-10-25T01:00:00.000Z", "2026-10-25T02:00+01:00"],
  ["2026-10-25T01:00", "2026-10-25T01:00+02:00"],
  ["2026-10-25 03:00", "2026-10-25T03:00+01:00"],
])("%s is the hour %s in Berlin", (text, key) => {
  expect(hourly("Europe/Berlin").read(text)).toEqual({ key });
});

test.each<[string, RegExp, string | undefined]>([
  [
    "2026-10-25T02:00",
    /twice: it is 2026-10-25T02:00\+02:00 or 2026-10-25T02:00\+01:00/,
    "2026-10-25T02:00+02:00",
  ],
  ["2026-03-29T02:30", /never showed it/, undefined],
  ["2026-10-25T02:30+02:00", /no window begins there/, "2026-10-25T02:00+02:00"],
  ["2009-12-31T23:00+01:00", /before the first, 2010-01-01T00:00\+01:00/, "2010-01-01T00:00+01:00"],
  ["2026-10-25", /a key looks like 2010-01-01T00:00\+01:00/, "2026-10-25T00:00+02:00"],
  ["2026-13-25T00:00Z", /it is no time/, undefined],
  ["2026-10-25T00:00:00.001Z", /it is no time/, undefined],
])("%s is no hour in Berlin", (text, fault, nearest) => {
  const read = hourly("Europe/Berlin").read(text);
  expect(read).toMatchObject({ fault: expect.stringMatching(fault) });
  expect("nearest" in read ? read.nearest : undefined).toBe(nearest);
});

test.each([
  [every("1d", "Europe/Berlin"), "2026-3-5", "2026-03-05"],
  [every("1d", "Europe/Berlin"), "20260305", "2026-03-05"],
  [every("1d", "Europe/Berlin"), "2026-03-05T12:30", "2026-03-05"],
  [every("1mo", "UTC"), "2026-03-05", "2026-03"],
  [every("1y", "UTC"), "2026-03", "2026"],
  [hourly("Europe/Berlin"), "2026-03-05", "2026-03-05T00:00+01:00"],
  [hourly("UTC"), "2026-3-5 14:30", "2026-03-05T14:00Z"],
])("what is meant for a key is named: %#", (partitions, text, nearest) => {
  expect(partitions.read(text)).toMatchObject({ fault: expect.any(String), nearest });
});

test("a date that a zone skipped is no partition", () => {
  expect(every("1d", "Pacific/Apia").read("2011-12-30")).toEqual({
    fault: "there is no such time in Pacific/Apia",
    nearest: "2011-12-31",
  });
});

test("nothing begins before the start or ends after the end", () => {
  const partitions = windows({ kind: "every", every: "1d" }, "2026-01-01", "2026-01-04T12:00Z");
  expect(keys(partitions, "2025-01-01", "2027-01-01")).toEqual(["2026-01-01", "2026-01-02", "2026-01-03"]);
  expect(partitions.read("2026-01-04")).toMatchObject({ nearest: "2026-01-03" });
  expect(partitions.read("2026-02-04")).toMatchObject({
    fault: expect.stringContaining("after the last window"),
  });
});

const zones = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
  "UTC",
];
const schedules = [
  { kind: "cron", expression: "0 * * * *" },
  { kind: "cron", expression: "*/15 * * * *" },
  { kind: "cron", expression: "30 2 * * *" },
  { kind: "every", every: "1h" },
  { kind: "every", every: "6h" },
  { kind: "every", every: "1d" },
  { kind: "every", every: "1w" },
  { kind: "every", every: "1mo" },
];

test("each instant lies in one window, windows meet, and a key reads as its window (W1, W2)", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...schedules),
      fc.integer({ min: Date.UTC(2011, 0) / 60_000, max: Date.UTC(2030, 0) / 60_000 }),
      (tz, schedule, minutes) => {
        const definition = parsePartitions({
          kind: "time",
          every: { ...schedule, tz },
          start: "2010-01-01",
        }) as TimePartitions;
        const one = compileTimeWindows(definition);
        const ms = minutes * 60_000;
        const window = one.at(ms)!;
        expect(window.from).toBeLessThanOrEqual(ms);
        expect(window.to).toBeGreaterThan(ms);
        const next = one.from(window.to)!;
        expect(next.from).toBe(window.to);
        expect(one.until(window.to)).toEqual(window);
        expect(one.overlapping(ms, window.to + 1, 9)).toEqual([window, next]);
        const key = one.keyOf(window);
        expect(one.readKey(key)).toEqual(window);
        expect(one.keyOf(next)).not.toBe(key);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a tuple's key is one text, whatever the order and whatever its parts hold", () => {
  const part = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(part, part, (a, b) => {
      expect(readTuple(formatTuple({ a, b }))).toEqual({ a, b });
      expect(formatTuple({ b, a })).toBe(formatTuple({ a, b }));
    }),
  );
});

const tuple = compilePartitions(
  parsePartitions({
    kind: "tuple",
    of: {
      region: { kind: "static", keys: ["eu", "us/west"] },
      day: { kind: "time", every: { kind: "every", every: "1d" }, start: "2026-01-01" },
    },
  }),
);

test("a tuple's key is read in any order, and has the window of its dimension of time", () => {
  expect(tuple.read("region=us%2Fwest/day=2026-01-02")).toEqual({
    key: "day=2026-01-02/region=us%2Fwest",
  });
  expect(tuple.windowOf("day=2026-01-02/region=eu")).toEqual({
    from: Date.UTC(2026, 0, 2),
    to: Date.UTC(2026, 0, 3),
  });
  expect(tuple.list({ from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 3) }, 9)).toEqual(
    [
      "day=2026-01-01/region=eu",
      "day=2026-01-02/region=eu",
      "day=2026-01-01/region=us%2Fwest",
      "day=2026-01-02/region=us%2Fwest",
    ].toSorted(),
  );
});

test.each<[string, RegExp]>([
  ["region=eu", /its day is missing; a key looks like day=2026-01-01\/region=…/],
  ["regon=eu/day=2026-01-01", /no dimension "regon", maybe "region"/],
  ["day=2026-01-01/region=eo", /its region is not right.*Did you mean "day=2026-01-01\/region=eu"\?/],
  ["nonsense", /a key looks like/],
  ["region=%E0%A4%A/day=2026-01-01", /a key looks like/],
])("%s is no key of the tuple", (text, message) => {
  expect(() => requirePartition(tuple, text, "The asset")).toThrow(message);
});

test("static keys name the nearest, dynamic ones take any text that can be a key", () => {
  const fixed = compilePartitions(parsePartitions({ kind: "static", keys: ["berlin", "hamburg"] }));
  expect(() => requirePartition(fixed, "berlim", 'The asset "a"')).toThrow(
    'The asset "a" has no partition "berlim": its keys are berlin, hamburg. Did you mean "berlin"?',
  );
  const open = compilePartitions(parsePartitions({ kind: "dynamic" }));
  expect(open.read("anything")).toEqual({ key: "anything" });
  expect(open.read("")).toMatchObject({ fault: "it is empty" });
  expect(open.read("x".repeat(201))).toHaveProperty("fault");
  expect(open.read("a\nb")).toHaveProperty("fault");
});

test.each<[string, unknown, RegExp]>([
  ["an unknown kind", { kind: "tim" }, /did you mean "time"\?/],
  ["an unknown field", { kind: "static", key: ["a"] }, /did you mean "keys"\?/],
  [
    "a list of instants",
    { kind: "time", every: { kind: "at", instants: [1] }, start: "2026-01-01" },
    /windows come from/,
  ],
  [
    "jitter",
    { kind: "time", every: { kind: "every", every: "1d", jitterMs: 5 }, start: "2026-01-01" },
    /no jitter/,
  ],
  ["no start", { kind: "time", every: { kind: "every", every: "1d" } }, /\$\.start: expected a date/],
  [
    "an end before the first window's",
    { kind: "time", every: { kind: "every", every: "1d" }, start: "2026-01-01", end: "2026-01-01T12:00Z" },
    /no window between/,
  ],
  ["the same key twice", { kind: "static", keys: ["a", "a"] }, /listed twice/],
  ["one dimension", { kind: "tuple", of: { a: { kind: "dynamic" } } }, /expected 2 to 4 dimensions/],
  [
    "a tuple in a tuple",
    { kind: "tuple", of: { a: { kind: "dynamic" }, b: { kind: "tuple", of: {} } } },
    /no tuple itself/,
  ],
  [
    "a dimension named key",
    { kind: "tuple", of: { a: { kind: "dynamic" }, key: { kind: "dynamic" } } },
    /other than "key"/,
  ],
  [
    "an unknown zone",
    { kind: "time", every: { kind: "every", every: "1d", tz: "Europe/Berlim" }, start: "2026-01-01" },
    /Europe\/Berlin/,
  ],
])("%s is refused", (_name, json, message) => {
  expect(() => parsePartitions(json)).toThrow(message);
});

test("coverage is the union of what was added, told in as few stretches as there are gaps (V1)", () => {
  const stretch = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 40 }), fc.integer({ min: 0, max: 70 }), (added, from) => {
      const coverage: Coverage = [];
      const cells = new Set<number>();
      for (const [low, length] of added) {
        const before = cells.size;
        for (let at = low; at < low + length; at += 1) cells.add(at);
        expect(cover(coverage, { from: low, to: low + length })).toBe(cells.size > before);
      }
      expect(coverage.flatMap(([a, b]) => Array.from({ length: b - a }, (_, at) => a + at))).toEqual(
        [...cells].toSorted((a, b) => a - b),
      );
      coverage.reduce((end, [a, b]) => {
        expect(a).toBeGreaterThan(end);
        return b;
      }, -1);
      let to = from;
      while (cells.has(to)) to += 1;
      expect(coveredTo(coverage, from)).toBe(to);
      forgetBefore(coverage, from);
      expect(coveredTo(coverage, from)).toBe(to);
    }),
  );
});

test("of too many stretches the latest is forgotten: a gap is never covered (V2)", () => {
  const coverage: Coverage = [];
  for (let at = 0; at < 1_001; at += 1) cover(coverage, { from: at * 2, to: at * 2 + 1 });
  expect(coverage).toHaveLength(1_000);
  expect(coverage.at(-1)).toEqual([1_998, 1_999]);
});
