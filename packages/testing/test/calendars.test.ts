/** Calendars and jitter of schedules on virtual time. */
import { on, pipeline, task } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const see = task("see", () => null);
const opening = pipeline(
  "opening",
  {
    on: on.cron("0 9 * * *", {
      calendar: { businessDays: true, holidays: ["2026-12-24/2026-12-25"], include: ["2026-12-26"] },
    }),
  },
  () => see(),
);
const spread = pipeline("spread", { on: on.every("1h", { jitter: "10m" }) }, () => see());

test("a schedule fires on the open days of its calendar, and no tick of another is lost", async () => {
  const t = await testbed({ opening }, { now: "2026-12-22T12:00:00Z" });
  await t.advance("7d");
  // 23 Wednesday; 24 and 25 holidays; 26 a Saturday that is included; 27 Sunday; 28 Monday; 29 Tuesday.
  expect(t.firings.map(({ at }) => at.toISOString().slice(0, 13))).toEqual([
    "2026-12-23T09",
    "2026-12-26T09",
    "2026-12-28T09",
    "2026-12-29T09",
  ]);
});

test("jitter delays runs by less than it says, each by its own", async () => {
  const t = await testbed({ spread }, { now: "2026-03-02T00:30:00Z" });
  await t.advance("12h");
  const delays = t.firings.map(({ at }) => at.getTime() % 3_600_000);
  expect(delays).toHaveLength(12);
  expect(Math.max(...delays)).toBeLessThan(600_000);
  expect(new Set(delays).size).toBeGreaterThan(6);
});
