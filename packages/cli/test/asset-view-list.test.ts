import type { AssetSummary } from "@millrace/protocol";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { assetRow, listYields } from "../src/asset-view/list.ts";
import { formatTable } from "../src/terminal/format.ts";

const now = new Date("2026-03-01T12:00:00Z");
const at = "2026-03-01T11:59:00.000Z";

const sound: AssetSummary = {
  name: "lake/orders_enriched_by_country",
  project: "a-project-with-a-long-name",
  description: "A description that nobody has room for in a terminal",
  owner: "the data team",
  tags: ["daily", "finance"],
  upstream: ["lake/orders"],
  downstream: ["mart/orders_daily"],
  updates: 12,
  freshness: { state: "stale", maxAgeMs: 86_400_000 },
  lastUpdate: { position: 7, at, runId: "r01qynjkx5ebss0me" },
  partitions: { kind: "windows every day", present: 31, missing: 4 },
};

const asset: AssetSummary = {
  ...sound,
  rejected: { count: 12, at, position: 8, reason: "no such partition" },
};

test.each([80, 60, 40])("in %i columns an asset's rejected updates are told, beside its name", (width) => {
  const rows = [asset, sound].map((one) => assetRow(one, createColors(false), now));
  const [first, second] = formatTable(rows, { width, yields: listYields });
  expect(first).toMatch(/^● stale {2}! 12 rejected {2}lake\/orders_/);
  expect(first!.length).toBeLessThanOrEqual(width);
  expect(second).not.toContain("rejected");
});

test("where there are too many partitions to count, the newest are counted and that is told", () => {
  const partitions = { kind: "windows every hour", present: 18_000, missing: 2, newestOnly: true } as const;
  const row = assetRow({ ...sound, partitions }, createColors(false), now);
  expect(row).toContain("18000 partitions, 2 missing among the newest");
});
