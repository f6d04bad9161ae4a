/** What became of ticks, on a real server. */
import type { Condition } from "@millrace/core";
import type { ScheduleRunsView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { stageWith, triggered, type Stage } from "./trigger-stage.ts";

const secondly: Condition = {
  kind: "schedule",
  schedule: { kind: "every", every: { n: 1, unit: "seconds" }, tz: "UTC" },
};
const yearly: Condition = {
  kind: "schedule",
  schedule: { kind: "cron", expression: "0 0 1 1 *", tz: "UTC" },
};

async function read(stage: Stage, query = ""): Promise<readonly ScheduleRunsView[]> {
  const answer = await stage.fixture.call("GET", `/schedules/runs${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.items;
}

test("a tick has its run, and a pipeline says how long its runs take and since when it is watched", async () => {
  const stage = await stageWith(triggered("often", secondly), triggered("yearly", yearly));
  await stage.given(2);
  const { body } = await stage.fixture.call("GET", "/runs?pipeline=often&state=succeeded");
  const run = body.items.at(-1);
  // The span goes on for a while, as what began a moment ago is in it.
  const span = `to=${new Date(Date.now() + 60_000).toISOString()}`;
  const [often, other] = await read(stage, `?${span}`);
  const tick = often!.ticks.find((one) => one.run === run.id)!;
  expect(tick).toMatchObject({ state: "succeeded", createdAt: run.createdAt });
  expect(Date.parse(tick.at) % 1_000).toBe(0);
  expect(Date.parse(tick.createdAt!)).toBeGreaterThanOrEqual(Date.parse(tick.at));
  expect(Date.parse(often!.since)).toBeLessThan(Date.parse(tick.at));
  expect(often!.took!.runs).toBeGreaterThan(0);
  expect(often!.took!.p95Ms).toBeGreaterThanOrEqual(often!.took!.p50Ms);
  expect(other).toMatchObject({ pipeline: "yearly", ticks: [] });
  expect(other).not.toHaveProperty("took");
  // The last ones, in their order.
  const [last] = await read(stage, `?${span}&ticks=1`);
  expect([last?.ticks.length, last?.ticksAreMore]).toEqual([1, true]);
  expect(Date.parse(last!.ticks[0]!.at)).toBeGreaterThan(Date.parse(tick.at));
  // A span before has none of it.
  const [before] = await read(stage, "?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z");
  expect(before?.ticks).toEqual([]);
});

test("a paused trigger says since when; pipelines come in pages, and a span that is too long is refused", async () => {
  const stage = await stageWith(...["a", "b", "c"].map((name) => triggered(name, yearly)));
  await stage.fixture.call("POST", "/pipelines/b/pause");
  const first = (await stage.fixture.call("GET", "/schedules/runs?limit=2")).body;
  const rest = (await stage.fixture.call("GET", `/schedules/runs?limit=2&cursor=${first.nextCursor}`)).body;
  const all: ScheduleRunsView[] = [...first.items, ...rest.items];
  expect([all.map(({ pipeline }) => pipeline), rest.nextCursor]).toEqual([["a", "b", "c"], undefined]);
  expect(all.map(({ pausedSince }) => pausedSince !== undefined)).toEqual([false, true, false]);
  const span = "from=2027-01-01T00:00:00Z&to=2027-03-01T00:00:00Z";
  expect((await stage.fixture.call("GET", `/schedules/runs?${span}`)).status).toBe(400);
});
