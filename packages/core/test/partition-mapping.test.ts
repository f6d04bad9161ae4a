/** What partitions are made of, and what they are part of. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compilePartitionMapping } from "../src/partition/mapping.ts";
import { parsePartitionMapping, parsePartitions } from "../src/partition/parse.ts";
import { compilePartitions, type Partitions } from "../src/partition/partitions.ts";

const partitions = (json: unknown): Partitions => compilePartitions(parsePartitions(json));
const time = (every: object, start = "2026-01-01", end = "2028-01-01"): Partitions =>
  partitions({ kind: "time", every, start, end });

const tz = "Europe/Berlin";
const hours = time({ kind: "cron", expression: "0 * * * *", tz });
const days = time({ kind: "every", every: "1d", tz });
const weeks = time({ kind: "every", every: "1w", tz });
const months = time({ kind: "every", every: "1mo", tz });
const regions = partitions({ kind: "static", keys: ["eu", "us", "asia"] });
const countries = partitions({ kind: "static", keys: ["de", "fr", "ca"] });
const dayRegion = partitions({ kind: "tuple", of: { day: days.definition, region: regions.definition } });
const hourRegion = partitions({ kind: "tuple", of: { hour: hours.definition, region: regions.definition } });

const map = (json: unknown, from: Partitions | undefined, to: Partitions | undefined) =>
  compilePartitionMapping(json === undefined ? undefined : parsePartitionMapping(json), from, to);

test("windows map to those that they overlap, both ways, over a change of the clocks", () => {
  const hoursOfDays = map(undefined, hours, days);
  expect(hoursOfDays.to("2026-10-25T02:00+02:00")).toEqual(["2026-10-25"]);
  expect(hoursOfDays.from("2026-10-25")).toHaveLength(25);
  expect(hoursOfDays.from("2026-03-29")).toHaveLength(23);
  expect(hoursOfDays.from("2026-10-25")!.slice(1, 4)).toEqual([
    "2026-10-25T01:00+02:00",
    "2026-10-25T02:00+02:00",
    "2026-10-25T02:00+01:00",
  ]);
  const wide = map({ kind: "windows" }, days, hours);
  expect(wide.to("2026-03-29")).toHaveLength(23);
  expect(wide.from("2026-03-29T03:00+02:00")).toEqual(["2026-03-29"]);
  expect(map(undefined, weeks, months).to("2026-03-30")).toEqual(["2026-03", "2026-04"]);
});

test("a partition is made of the last n that end with it or before", () => {
  const three = map({ kind: "last", n: 3 }, days, days);
  expect(three.from("2026-01-10")).toEqual(["2026-01-08", "2026-01-09", "2026-01-10"]);
  expect(three.to("2026-01-10")).toEqual(["2026-01-10", "2026-01-11", "2026-01-12"]);
  expect(three.from("2026-01-02")).toEqual(["2026-01-01", "2026-01-02"]);
  expect(map({ kind: "last", n: 2 }, hours, days).from("2026-01-10")).toEqual([
    "2026-01-10T22:00+01:00",
    "2026-01-10T23:00+01:00",
  ]);
  expect(map({ kind: "last", n: 2 }, days, months).to("2026-01-30")).toEqual(["2026-01"]);
  expect(map({ kind: "last", n: 2 }, days, months).to("2026-01-29")).toEqual([]);
});

test("all, table, identity and own CEL", () => {
  const all = map({ kind: "all" }, regions, undefined);
  expect(all.to("eu")).toEqual([null]);
  expect(all.from(null)).toEqual(["eu", "us", "asia"]);
  const table = map({ kind: "table", to: { de: "eu", fr: ["eu"], ca: ["us"] } }, countries, regions);
  expect(table.to("de")).toEqual(["eu"]);
  expect(table.from("eu")).toEqual(["de", "fr"]);
  expect(table.from("asia")).toEqual([]);
  expect(map(undefined, regions, regions).to("eu")).toEqual(["eu"]);
  const own = map({ kind: "cel", text: 'key == "ca" ? ["us"] : ["eu", "nowhere"]' }, countries, regions);
  expect(own.to("de")).toEqual(["eu"]);
  expect(own.from("eu")).toEqual(["de", "fr"]);
  const timed = map({ kind: "cel", text: 'window.from < "2026-06-01" ? "eu" : "us"' }, days, regions);
  expect(timed.to("2026-05-01")).toEqual(["eu"]);
  expect(timed.to("2026-07-01")).toEqual(["us"]);
  expect(timed.from("eu")).toBeUndefined();
});

test("tuples: dimensions are mapped one by one, and those that nothing names are gathered", () => {
  const usual = map(undefined, hourRegion, dayRegion);
  expect(usual.to("hour=2026-10-25T02:00+01:00/region=us")).toEqual(["day=2026-10-25/region=us"]);
  expect(usual.from("day=2026-10-25/region=us")).toHaveLength(25);
  const projected = map(undefined, hourRegion, days);
  expect(projected.to("hour=2026-10-25T02:00+01:00/region=us")).toEqual(["2026-10-25"]);
  expect(projected.from("2026-10-25")).toHaveLength(75);
  const spread = map(
    {
      kind: "dimensions",
      of: { day: { mapping: { kind: "identity" } }, region: { mapping: { kind: "all" } } },
    },
    days,
    dayRegion,
  );
  expect(spread.to("2026-01-05")).toEqual([
    "day=2026-01-05/region=eu",
    "day=2026-01-05/region=us",
    "day=2026-01-05/region=asia",
  ]);
  expect(spread.from("day=2026-01-05/region=eu")).toEqual(["2026-01-05"]);
  const endless = partitions({ kind: "time", every: { kind: "every", every: "1d" }, start: "1970-01-01" });
  const both = partitions({
    kind: "tuple",
    of: { day: endless.definition, region: regions.definition },
  });
  expect(map(spread.mapping, endless, both).from("day=2026-01-05/region=eu")).toEqual(["2026-01-05"]);
});

test("b is in to(a) exactly when a is in from(b) (M1)", () => {
  const pairs: readonly (readonly [unknown, Partitions, Partitions])[] = [
    [undefined, hours, days],
    [{ kind: "windows" }, days, hours],
    [{ kind: "windows" }, weeks, months],
    [{ kind: "windows" }, months, weeks],
    [{ kind: "last", n: 3 }, days, days],
    [{ kind: "last", n: 5 }, hours, days],
    [{ kind: "last", n: 2 }, weeks, months],
    [{ kind: "last", n: 2 }, months, weeks],
    [undefined, hourRegion, dayRegion],
    [undefined, dayRegion, days],
    [{ kind: "table", to: { de: "eu", fr: ["eu", "us"] } }, countries, regions],
    [{ kind: "cel", text: 'key == "ca" ? "us" : "eu"' }, countries, regions],
  ];
  const keyOf = (side: Partitions, at: number): string => {
    const from = Date.UTC(2026, 1) + (at % 400) * 86_400_000;
    const list = side.list({ from, to: from + 86_400_000 }, 100)!;
    return list[at % list.length]!;
  };
  fc.assert(
    fc.property(fc.constantFrom(...pairs), fc.nat(), ([json, from, to], at) => {
      const mapping = map(json, from, to);
      const a = keyOf(from, at);
      for (const b of mapping.to(a)) expect(mapping.from(b)).toContain(a);
      const c = keyOf(to, at);
      for (const d of mapping.from(c) ?? []) expect(mapping.to(d)).toContain(c);
    }),
    { numRuns: 400 },
  );
});

test.each<[string, unknown, Partitions | undefined, Partitions | undefined, RegExp]>([
  ["windows of regions", { kind: "windows" }, regions, days, /"windows" needs windows of time on both sides/],
  ["all of endless time", { kind: "all" }, regions, partitions({ kind: "dynamic" }), /endless/],
  ["a table's unknown key", { kind: "table", to: { dee: "eu" } }, countries, regions, /did you mean "de"\?/],
  [
    "an unknown dimension",
    {
      kind: "dimensions",
      of: {
        day: { from: "dai", mapping: { kind: "identity" } },
        region: { from: "region", mapping: { kind: "identity" } },
      },
    },
    dayRegion,
    dayRegion,
    /did you mean "day"\?/,
  ],
  [
    "a dimension without source",
    { kind: "dimensions", of: { day: { from: "day", mapping: { kind: "identity" } } } },
    dayRegion,
    dayRegion,
    /where the dimension "region" comes from/,
  ],
  ["nothing in common", undefined, regions, days, /need one that says/],
  ["identity with one side", { kind: "identity" }, regions, undefined, /both sides/],
])("%s is refused", (_name, json, from, to, message) => {
  expect(() => map(json, from, to)).toThrow(message);
});

test.each<[unknown, RegExp]>([
  [{ kind: "last", n: 0 }, /expected a whole number/],
  [{ kind: "lst" }, /did you mean "last"\?/],
  [{ kind: "cel", text: "keey" }, /CEL expression of the mapping/],
  [{ kind: "table", to: {} }, /expected a key or more/],
])("the mapping %j is refused", (json, message) => {
  expect(() => parsePartitionMapping(json)).toThrow(message);
});
