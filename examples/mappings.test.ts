/** The pipelines of `mappings` on virtual time: updates go in, and the partitions that are concerned come out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { testbed } from "millrace/testing";
import { expect, test } from "vitest";
import * as mappings from "./mappings/pipelines/mappings.ts";

/** The partitions for which a pipeline was started by these updates. */
async function started(
  name: string,
  updates: readonly (readonly [asset: string, partition: string])[],
): Promise<(string | undefined)[]> {
  const t = await testbed({ ...mappings }, { now: Date.UTC(2026, 9, 1) });
  for (const [subject, partition] of updates)
    await t.emit({ type: "millrace.asset.updated", subject, data: { partition } });
  return t.firings.filter(({ pipeline }) => pipeline === name).map(({ partition }) => partition);
}

function hours(from: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => new Date(Date.parse(from) + n * 3_600_000).toISOString());
}

const clicks = (from: string, count: number): (readonly [string, string])[] =>
  hours(from, count).map((hour) => ["lake/clicks", hour]);

test("identity: the partition of the same key", async () => {
  expect(await started("bill-day", [["mart/visits", "2026-09-30"]])).toEqual(["2026-09-30"]);
});

test("windows: short ones make a long one, and a long one concerns short ones", async () => {
  const shift = clicks("2026-10-24T22:00+02:00", 9);
  expect(await started("close-shift", shift.slice(0, 8))).toEqual([]);
  // Nine hours of clocks that go back are one night shift.
  expect(await started("close-shift", shift)).toEqual(["2026-10-24T22:00+02:00"]);
  expect(await started("plan-week", [["mart/months", "2026-10"]])).toEqual([
    "2026-09-28",
    "2026-10-05",
    "2026-10-12",
    "2026-10-19",
    "2026-10-26",
  ]);
});

test("last: a day concerns itself and the six after it", async () => {
  expect(await started("mean-of-week", [["mart/visits", "2026-09-28"]])).toEqual([
    "2026-09-28",
    "2026-09-29",
    "2026-09-30",
    "2026-10-01",
    "2026-10-02",
    "2026-10-03",
    "2026-10-04",
  ]);
});

test("all, and a table", async () => {
  const of = (...keys: string[]): (readonly [string, string])[] =>
    keys.map((key) => ["sales/regions", key] as const);
  expect(await started("report", of("eu", "us"))).toEqual([]);
  expect(await started("report", of("eu", "us", "asia"))).toEqual(["board", "press"]);
  expect(await started("office", of("us"))).toEqual(["newyork"]);
  expect(await started("office", of("eu", "asia"))).toEqual(["london"]);
});

test("all partitions of an asset, round after round; and what a task tells of others' work", async () => {
  const round = ["eu", "us", "asia", "us", "us", "eu", "asia"].map((key) => ["sales/regions", key] as const);
  expect(await started("all-regions", round)).toHaveLength(2);
  const t = await testbed({ ...mappings }, { now: Date.UTC(2026, 9, 1) });
  await t.start(mappings.looking);
  const told = t.events.filter(({ type }) => type.startsWith("millrace.asset."));
  expect(told.map(({ type, subject, invalid }) => [type, subject, invalid])).toEqual([
    ["millrace.asset.partition", "crm/customers", undefined],
    ["millrace.asset.updated", "sales/regions", undefined],
    ["millrace.asset.progress", "lake/clicks", undefined],
  ]);
});

test("an expression over keys that nobody knew before", async () => {
  const updates = ["de-17", "us-3", "fr-4"].map((key) => ["crm/customers", key] as const);
  expect(await started("region-of-customer", updates)).toEqual(["eu", "us", "eu"]);
});

test("tuples by dimension, over days of 23, 24 and 25 hours", async () => {
  const views = (from: string, count: number): (readonly [string, string])[] =>
    hours(from, count).map((hour) => ["lake/views", `hour=${hour}/region=us`]);
  for (const [day, from, count] of [
    ["2026-03-29", "2026-03-29T00:00+01:00", 23],
    ["2026-06-01", "2026-06-01T00:00+02:00", 24],
    ["2026-10-25", "2026-10-25T00:00+02:00", 25],
  ] as const) {
    expect(await started("sales-of-views", views(from, count - 1))).toEqual([]);
    expect(await started("sales-of-views", views(from, count))).toEqual([`day=${day}/region=us`]);
    expect(await started("days-of-clicks", clicks(from, count))).toEqual([day]);
  }
});

test("the page about partitions shows what was run, and all of it", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/reference/partitions.md"), "utf8");
  const file = readFileSync(join(import.meta.dirname, "mappings/pipelines/mappings.ts"), "utf8");
  const shown = [...page.matchAll(/^```ts(?: follows)?\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  expect(shown.filter((code) => !file.includes(code))).toEqual([]);
  const all = [...file.matchAll(/^export const (\w+) = /gm)].map(([, name]) => name);
  expect(all.filter((name) => !shown.some((code) => code.includes(`const ${name} = `)))).toEqual([]);
});
