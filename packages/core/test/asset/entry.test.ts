/** Reports of assets, and the entries that they become. */
import { expect, test } from "vitest";
import {
  assetEntry,
  assetEntryId,
  assetFactOf,
  assetPartitionType,
  assetProgressType,
  assetReportName,
  assetUpdatedType,
  givenEntry,
  parseCloudEvent,
  readAssetReport,
  type AssetDefinition,
  type AssetTelling,
  type Json,
} from "../../src/index.ts";

const days: AssetDefinition = {
  name: "days",
  tags: [],
  partitions: {
    kind: "time",
    every: { kind: "every", every: { n: 6, unit: "hours" }, tz: "Europe/Berlin" },
    start: "2025-12-31T23:00:00Z",
  },
};
const now = Date.UTC(2026, 2, 29, 3);
const monthly = { kind: "every", every: { n: 1, unit: "months" }, tz: "Europe/Berlin" };
const whole: AssetDefinition = { name: "whole", tags: [] };

function read(type: string, data: Json, subject = "days"): AssetTelling {
  return readAssetReport({ type, subject, data: { value: data }, isBinary: false }) as AssetTelling;
}

function entry(definition: AssetDefinition | undefined, type: string, data: Json, runPartition?: string) {
  const place = { id: "e", lane: "live", version: "own", now, definition, runPartition };
  return assetEntry(read(type, data), place);
}

const partitionOf = (event: ReturnType<typeof entry>): unknown => [
  (event.data.value as { partition?: Json }).partition,
  event.invalid === undefined ? undefined : event.invalid.replace(/: .*/, ""),
];

test("a partition is written in its one spelling, and what is none of the asset's stays as it came, with why", () => {
  const updated = (partition: Json, definition: AssetDefinition | undefined): unknown =>
    partitionOf(entry(definition, assetUpdatedType, { partition }));
  expect(updated("2026-03-29T04:00Z", days)).toEqual([
    "2026-03-29T04:00Z",
    'it has no partition "2026-03-29T04:00Z"',
  ]);
  expect(updated("2026-03-29T05:00Z", days)).toEqual(["2026-03-29T07:00+02:00", undefined]);
  expect(updated(null, days)).toEqual([null, "it has partitions, and none is named"]);
  expect(updated("2026-03-29T05:00Z", whole)).toEqual([
    "2026-03-29T05:00Z",
    'it has no partitions, and the key "2026-03-29T05:00Z" was given',
  ]);
  expect(updated("x", undefined)).toEqual(["x", 'no deployed project has an asset of the name "days"']);
});

test("without one of its own an update is of the run's partition, where the asset has any", () => {
  const update = (definition: AssetDefinition, data: Json = {}): unknown =>
    partitionOf(entry(definition, assetUpdatedType, data, "2026-03-29T00:00+01:00"));
  expect(update(days)).toEqual(["2026-03-29T00:00+01:00", undefined]);
  expect(update(days, { partition: "2026-03-29T07:00+02:00" })).toEqual([
    "2026-03-29T07:00+02:00",
    undefined,
  ]);
  expect(update(whole)).toEqual([null, undefined]);
});

test("progress is of any asset, and keys are learned by dynamic partitions alone", () => {
  const until = "2026-03-29T07:00:00+02:00";
  const progress = entry(days, assetProgressType, { until });
  expect(progress).toMatchObject({
    invalid: undefined,
    data: { value: { until: "2026-03-29T05:00:00.000Z" } },
  });
  expect(entry(whole, assetProgressType, { until }).invalid).toBe(undefined);
  expect(entry(whole, assetProgressType, { until: "2999-01-01T00:00:00Z" }).invalid).toMatch(/ahead/);
  expect(entry(days, assetPartitionType, { partition: "x" }).invalid).toMatch(/dynamic partitions/);
  const dynamic = { ...whole, partitions: { kind: "dynamic" } } as const;
  expect(entry(dynamic, assetPartitionType, { partition: "x" }).invalid).toBe(undefined);
  const tuple = {
    ...whole,
    partitions: { kind: "tuple", of: { a: { kind: "dynamic" }, b: days.partitions! } },
  };
  const key = { partition: "b=2026-03-29T00:00+01:00/a=x" };
  expect(partitionOf(entry(tuple as AssetDefinition, assetPartitionType, key))).toEqual([
    "a=x/b=2026-03-29T00:00+01:00",
    undefined,
  ]);
});

test("progress that is further ahead than the asset allows is told as invalid, with the bound", () => {
  const faultOf = (definition: AssetDefinition, until: string): string | undefined =>
    entry(definition, assetProgressType, { until }).invalid;
  expect(faultOf(days, "2026-03-30T03:00:00Z")).toBe(undefined);
  expect(faultOf(days, "2026-03-30T03:00:00.001Z")).toBe(
    "its progress 2026-03-30T03:00:00.001Z is more than 1 d ahead of the clock: it may be 2026-03-30T03:00:00.000Z at most",
  );
  expect(faultOf(days, "2999-01-01T00:00:00Z")).toMatch(/more than 1 d ahead/);
  // The window that has begun may be told to be complete, however long it is.
  const months = { ...days, partitions: { ...days.partitions!, every: monthly } } as AssetDefinition;
  expect(faultOf(months, "2026-03-31T22:00:00Z")).toBe(undefined);
  expect(faultOf(months, "2026-03-31T22:00:01Z")).toMatch(/it may be 2026-03-31T22:00:00.000Z at most/);
  const plan = { ...days, progressAheadMs: 365 * 86_400_000 };
  expect(faultOf(plan, "2027-03-29T03:00:00Z")).toBe(undefined);
  expect(faultOf(plan, "2027-03-29T03:00:01Z")).toMatch(/more than 365 d ahead/);
});

test("whoever gives progress from outside is told that it is too far ahead", () => {
  const event = parseCloudEvent({
    specversion: "1.0",
    source: "/sink",
    id: "1",
    type: assetProgressType,
    subject: "days",
    data: { until: "+057806-11-01T00:00:00Z" },
  });
  const given = (until: string) => (): unknown =>
    givenEntry({ ...event, data: { value: { until } } }, { find: () => days, now });
  expect(given("2026-03-30T03:00:00Z")).not.toThrow();
  expect(given("9999-01-01T00:00:00Z")).toThrow(
    expect.objectContaining({
      code: "MILLRACE_PROGRESS_AHEAD",
      fields: { asset: "days", until: "9999-01-01T00:00:00.000Z", latest: "2026-03-30T03:00:00.000Z" },
    }) as Error,
  );
  expect(given("+057806-11-01T00:00:00Z")).toThrow(/RFC 3339/);
});

test("a version is the writer's, or one of the update's own", () => {
  const versions = [{ version: "v7" }, {}].map(
    (data) => (entry(whole, assetUpdatedType, data).data.value as { version: string }).version,
  );
  expect(versions).toEqual(["v7", "own"]);
});

test("an entry reads as what it tells, and others as nothing", () => {
  const update = entry(whole, assetUpdatedType, { kind: "observed", metadata: { rows: 3 } });
  expect(assetFactOf(update)).toEqual({
    kind: "updated",
    asset: "days",
    lane: "live",
    partition: "",
    version: "own",
    isObserved: true,
    metadata: { rows: 3 },
    until: undefined,
    revision: undefined,
    run: undefined,
    invalid: undefined,
  });
  expect(assetFactOf({ ...update, source: "/other" })).toBe(undefined);
  expect(assetFactOf({ ...update, type: "millrace.run.failed" })).toBe(undefined);
  expect(assetFactOf({ ...update, data: { value: null } })).toBe(undefined);
  expect(assetFactOf({ ...update, data: { blob: "b", bytes: 1 } })).toBe(undefined);
});

test.each([
  [assetUpdatedType, { partition: "" }, "/data/partition"],
  [assetUpdatedType, { partition: "x".repeat(301) }, "/data/partition"],
  [assetUpdatedType, { partition: "half \ud800" }, "/data/partition"],
  [assetUpdatedType, { version: "x".repeat(201) }, "/data/version"],
  [assetUpdatedType, { until: "2026-01-01T00:00:00Z" }, "/data/until"],
  [assetProgressType, {}, "/data/until"],
  [assetProgressType, { until: "tomorrow" }, "/data/until"],
  [assetPartitionType, {}, "/data/partition"],
  [assetPartitionType, [], "/data"],
])("what can't be read of %s %j is refused at its path", (type, data, path) => {
  expect(() => read(type, data)).toThrow(
    expect.objectContaining({ code: "MILLRACE_EVENT_INVALID", fields: expect.objectContaining({ path }) }),
  );
});

test("a report names its asset, and its metadata are bounded", () => {
  expect(() => read(assetUpdatedType, {}, "x".repeat(201))).toThrow(/subject/);
  const metadata = { text: "x".repeat(8_192) };
  expect(() => read(assetUpdatedType, { metadata })).toThrow(
    expect.objectContaining({ code: "MILLRACE_EVENT_TOO_LARGE" }),
  );
});

test("names of any length fit, and different ones stay different", () => {
  const source = `/pipelines/${"p".repeat(300)}`;
  const ids = ["a", "b"].map((end) => assetEntryId(source, `${"r".repeat(200)}${end}`));
  expect(new Set(ids).size).toBe(2);
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThanOrEqual(256);
  const names = ["a", "b"].map((end) =>
    assetReportName({
      type: assetUpdatedType,
      asset: "x".repeat(200),
      partition: `${"k".repeat(299)}${end}`,
    }),
  );
  expect(new Set(names).size).toBe(2);
  expect(names[0]!.length).toBeLessThanOrEqual(120);
});
