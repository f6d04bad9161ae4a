/** Which assets a list shows, in which order, and as which text it is saved. */
import type { AssetSummary } from "@millrace/protocol";
import { expect, test } from "vitest";
import { assetsCsv } from "../src/pages/assets/assets-csv.ts";
import { chosen, orderOf, type Choice } from "../src/pages/assets/choose.ts";

function asset(name: string, parts: Partial<AssetSummary> = {}): AssetSummary {
  return { name, tags: [], updates: 0, upstream: [], downstream: [], ...parts };
}

const assets = [
  asset("lake/orders", { owner: "Sales", lastUpdate: { at: "2026-11-27T10:00:00Z", position: 2 } }),
  asset("mart/report", {
    tags: ["kpi"],
    writtenBy: ["orders-daily"],
    partitions: { kind: "days", present: 3, missing: 2 },
    lastUpdate: { at: "2026-11-27T12:00:00Z", position: 3 },
  }),
  asset("ref/prices", { freshness: { maxAgeMs: 1, state: "stale" } }),
];

function shown(parts: Partial<Choice>): string[] {
  const choice = { find: undefined, isTroubleOnly: false, order: "name" as const, ...parts };
  return chosen(assets, choice).map(({ name }) => name);
}

test("each word is looked for in names, owners, tags and pipelines that write it", () => {
  expect(shown({ find: "orders" })).toEqual(["lake/orders", "mart/report"]);
  expect(shown({ find: "SALES lake" })).toEqual(["lake/orders"]);
  expect(shown({ find: "kpi" })).toEqual(["mart/report"]);
  expect(shown({ find: "nothing" })).toEqual([]);
  expect(shown({ isTroubleOnly: true })).toEqual(["mart/report", "ref/prices"]);
});

test("orders put first what was updated last, or longest ago, what misses most, and what is in trouble", () => {
  expect(shown({ order: "newest" })).toEqual(["mart/report", "lake/orders", "ref/prices"]);
  expect(shown({ order: "oldest" })).toEqual(["ref/prices", "lake/orders", "mart/report"]);
  expect(shown({ order: "missing" })[0]).toBe("mart/report");
  expect(shown({ order: "trouble" })).toEqual(["mart/report", "ref/prices", "lake/orders"]);
  expect([orderOf("newest"), orderOf("toString"), orderOf(undefined)]).toEqual(["newest", "name", "name"]);
});

test("the saved list quotes what a reader of CSV would split, and no text is a formula", () => {
  const text = assetsCsv([asset('=cmd|"a",b', { owner: "x,y" })]);
  expect(text.split("\r\n")[1]).toBe(`"'=cmd|""a"",b",,"x,y",,,,0,,,`);
});
