/** The calendar of what schedules will start, on a real server. */
import type { Condition } from "@millrace/core";
import type { ScheduleTicksView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { paid, stageWith, triggered, type Stage } from "./trigger-stage.ts";

function cron(expression: string, tz = "UTC"): Condition {
  return { kind: "schedule", schedule: { kind: "cron", expression, tz } };
}

async function ticks(stage: Stage, query: string): Promise<readonly ScheduleTicksView[]> {
  const answer = await stage.fixture.call("GET", `/schedules?${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.items;
}

test("each schedule has its ticks in the span: the first included, the last not, over a change of the clocks", async () => {
  const stage = await stageWith(
    triggered("nightly", cron("30 2 * * *", "Europe/Berlin")),
    triggered("hourly", cron("0 * * * *")),
    triggered("report", paid),
  );
  // On 28 March 2027 clocks go from 02:00 to 03:00 in Berlin.
  const found = await ticks(stage, "from=2027-03-27T01:30:00Z&to=2027-03-29T00:30:00Z&ticks=3");
  expect(found.map(({ pipeline }) => pipeline)).toEqual(["hourly", "nightly"]);
  expect(found[0]).toMatchObject({
    ticks: ["2027-03-27T02:00:00.000Z", "2027-03-27T03:00:00.000Z", "2027-03-27T04:00:00.000Z"],
    ticksAreMore: true,
    tz: "UTC",
    alone: true,
    paused: false,
  });
  expect(found[1]?.ticks).toEqual(["2027-03-27T01:30:00.000Z", "2027-03-28T01:00:00.000Z"]);
  expect(found[1]).not.toHaveProperty("ticksAreMore");
});

test("a schedule that stands beside other operands says whether its tick alone starts a run", async () => {
  const stage = await stageWith(
    triggered("any", { kind: "any", of: [{ ...cron("0 6 * * *"), name: "morning" }, paid] }),
    triggered("all", { kind: "all", of: [cron("0 6 * * *"), paid] }),
  );
  await stage.fixture.call("POST", "/pipelines/any/pause");
  const found = await ticks(stage, "from=2027-01-01T00:00:00Z");
  expect(found.map(({ pipeline, operand, alone, paused }) => [pipeline, operand, alone, paused])).toEqual([
    ["all", undefined, false, false],
    ["any", "morning", true, true],
  ]);
  expect(found.map((one) => one.ticks)).toEqual([["2027-01-01T06:00:00.000Z"], ["2027-01-01T06:00:00.000Z"]]);
});

test("schedules come in pages, and a span that is too long is refused", async () => {
  const stage = await stageWith(...["a", "b", "c"].map((name) => triggered(name, cron("0 6 * * *"))));
  const first = (await stage.fixture.call("GET", "/schedules?limit=2")).body;
  const rest = (await stage.fixture.call("GET", `/schedules?limit=2&cursor=${first.nextCursor}`)).body;
  const names = [...first.items, ...rest.items].map(({ pipeline }: ScheduleTicksView) => pipeline);
  expect([names, rest.nextCursor]).toEqual([["a", "b", "c"], undefined]);
  for (const span of [
    "from=2027-01-01T00:00:00Z&to=2027-03-01T00:00:00Z",
    "from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z",
  ]) {
    const { status, body } = await stage.fixture.call("GET", `/schedules?${span}`);
    expect([status, body.code]).toEqual([400, "MILLRACE_REQUEST_INVALID"]);
  }
});
