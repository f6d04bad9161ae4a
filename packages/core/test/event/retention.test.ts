import { expect, test } from "vitest";
import { retentionClassNames, retentionClassOf, retentionDaysOf } from "../../src/event/retention.ts";

test.each([
  ["order.placed", "normal"],
  ["millrace.run.failed", "normal"],
  ["millrace.worker.lost", "short"],
  ["millrace.asset.updated", "long"],
  ["millrace.trigger.paused", "audit"],
  ["com.millrace.trigger.paused", "normal"],
])("%s is kept as %s", (type, name) => {
  expect(retentionClassOf(type)).toBe(name);
});

test("no class but the short one is kept for less than history is", () => {
  for (const historyDays of [1, 30, 1_000])
    for (const name of retentionClassNames.slice(1))
      expect(retentionDaysOf(name, historyDays)).toBeGreaterThanOrEqual(historyDays);
  expect(retentionDaysOf("short", 30)).toBe(3);
  expect(retentionDaysOf("short", 1)).toBe(1);
});
